"""Chinese words every exported list says of what it was asked for; English in templates/english/{list,desk}.yaml."""

EVERYTHING, YES, NO = "全部", "是", "否"
FILTERS = {
    "q": "编号或单位名称", "region": "地区（含下级）", "here": "只看本级", "sector": "行业", "size": "规模",
    "stage": "环节", "grade": "等级", "path": "理赔路径", "overdue": "已逾期", "due_on": "到期日",
    "due_before": "到期早于", "provisional": "日期暂定", "rate_review": "续保时复核费率", "open": "办理中",
    "order": "排序", "insurer": "保险机构编号", "kind": "案卷", "insured": "投保单位",
}  # fmt: skip
"""How the workbook names what was asked for, by the filter's name in the address."""
ONE_AT_A_TIME = "您的上一份导出还在生成，请等它完成后再试。"
