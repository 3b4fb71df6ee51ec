"""Words an import says of a file or a row; what the contract and the rules say stands with them."""

FOREIGN = "不是本机构的保单"
"""The row names another insurer."""
STOPPED = "导入人已退出登录或者不再有权办理，其余各行没有建档；可以再次开始。"
"""Whoever started the import left before it was through."""
