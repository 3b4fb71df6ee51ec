"""Chinese words of the department's workbook, with their English in templates/english/department.yaml; nothing else."""

COVER, POLICIES, HAZARDS = "说明", "辖区保单", "辖区隐患"
TAKEN_BY, TAKEN_AT, SCOPE, FILTERED_BY, LINES, REMARK = "导出单位", "导出时间", "管辖范围", "筛选条件", "行数", "备注"
EVERYTHING = "全部"
PROVISIONAL_REMARK = "最后一日标为“暂定”的，在该年放假安排公布后重新推算。"
YES, NO = "是", "否"
PROVISIONAL = "暂定"
HEADINGS = (
    "编号", "所属保单", "保险机构", "投保单位", "地区", "地区代码", "行业", "规模", "环节", "等级", "隐患情况",
    "最近的期限", "最后一日", "最后一日是否暂定", "已逾期", "未销号隐患", "签署日期", "生效日期", "届满日期",
    "办结时间",
)  # fmt: skip
EVERY_SECTOR = "全部行业"
EVERYWHERE = "全国"
FILTERS = {
    "q": "编号或单位名称", "region": "地区（含下级）", "here": "只看本级", "sector": "行业", "size": "规模",
    "stage": "环节", "grade": "等级", "overdue": "已逾期", "due_on": "到期日", "due_before": "到期早于",
    "provisional": "日期暂定", "open": "办理中", "order": "排序", "insurer": "保险机构编号", "kind": "案卷",
}  # fmt: skip
"""How the workbook names what was asked for."""
