"""Chinese words of exported lists: what was asked for, what is in the columns; English in templates/english/*.yaml."""

EVERYTHING, YES, NO, MINE = "全部", "是", "否", "本人"
FILTERS = {
    "q": "编号或单位名称", "region": "地区（含下级）", "here": "只看本级", "sector": "行业", "size": "规模",
    "stage": "环节", "grade": "等级", "path": "理赔路径", "overdue": "已逾期", "due_on": "到期日",
    "due_before": "到期早于", "provisional": "日期暂定", "rate_review": "续保时复核费率", "waiting": "等待答复",
    "open": "办理中", "order": "排序", "insurer": "保险机构编号", "kind": "案卷", "insured": "投保单位",
    "hand": "经办人",
}  # fmt: skip
"""How the workbook names what was asked for, by the filter's name in the address."""
ONE_AT_A_TIME = "您的上一份导出还在生成，请等它完成后再试。"
COVER = "说明"
TAKEN_BY, TAKEN_AT, SCOPE, FILTERED_BY, LINES, REMARK = "导出单位", "导出时间", "管辖范围", "筛选条件", "行数", "备注"
PROVISIONAL_REMARK = "最后一日标为“暂定”的，在该年放假安排公布后重新推算。"
PROVISIONAL = "暂定"
HEADINGS = {
    "number": "编号", "policy_number": "所属保单", "insurer": "保险机构", "insured_name": "投保单位", "place": "地区",
    "region": "地区代码", "sector": "行业", "size": "规模", "stage": "环节", "grade": "等级",
    "description": "隐患情况", "next_label": "最近的期限", "due_on": "最后一日", "provisional": "最后一日是否暂定",
    "overdue": "已逾期", "open_hazards": "未销号隐患", "signed_on": "签署日期", "effective_on": "生效日期",
    "expires_on": "届满日期", "ended_at": "办结时间", "assessed": "定损", "paid": "已付",
}  # fmt: skip
"""By the column's name in api/desk/taking.py."""
