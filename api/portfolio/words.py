"""Words an import says of a file or a row; what the contract and the rules say stands with them."""

FOREIGN = "不是本机构的保单"
"""The row names another insurer."""
STOPPED = "导入人已退出登录或者不再有权办理，其余各行没有建档；可以再次开始。"
"""Whoever started the import left before it was through."""
MISNAMED_BOOK = "文件名是 CSV，内容是 Excel 工作簿，请改回 .xlsx 再导入"
MISNAMED_TABLE = "内容不是 Excel 工作簿；如果是 CSV 文件，请改名为 .csv 再导入"
