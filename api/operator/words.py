"""Words the operators' pages say from Python: what is wrong with a field."""

ALREADY_REGISTERED = "这个地区的这个部门已经登记，请在通讯录里更正它。"
AMBIGUOUS_PLACE = "这样称呼的地区不止一处，请写明是哪一处：{places}"
UNKNOWN_PLACE = "没有这个地区，请写名称（宿州市）或六位行政区划代码。"
NO_SUCH_HEIR = "没有这个接替单位，请从列表中选择。"
NOT_ITSELF = "接替单位不能是它自己。"
NO_SUCH_COVER = "没有这个抄送单位，请从列表中选择。"
ENDS_BEFORE_IT_BEGINS = "最后一天早于第一天。"
COVER_IS_OVER = "最后一天已经过去。"
COVER_TOO_LONG = "时间过长；长期外出的，请更正部门的邮箱。"
CHANGES_OF_CASES = ("原文件", "新文件", "推算时间", "案卷数", "已推算的案卷", "说明", "改用新版的变化")
"""What the workbook says of itself, and its sheets."""
CHANGES_HEADINGS = (
    "案卷",
    "编号",
    "投保单位",
    "地区",
    "行业",
    "事项",
    "变化",
    "原期限",
    "新期限",
    "依据",
    "理由",
)
