"""Chinese words of the department's workbook, with their English in templates/english/department.yaml; nothing else."""

COVER, POLICIES, HAZARDS = "说明", "辖区保单", "辖区隐患"
TAKEN_BY, TAKEN_AT, SCOPE, FILTERED_BY, LINES, REMARK = "导出单位", "导出时间", "管辖范围", "筛选条件", "行数", "备注"
PROVISIONAL_REMARK = "最后一日标为“暂定”的，在该年放假安排公布后重新推算。"
YES = "是"
PROVISIONAL = "暂定"
HEADINGS = (
    "编号", "所属保单", "保险机构", "投保单位", "地区", "地区代码", "行业", "规模", "环节", "等级", "隐患情况",
    "最近的期限", "最后一日", "最后一日是否暂定", "已逾期", "未销号隐患", "签署日期", "生效日期", "届满日期",
    "办结时间",
)  # fmt: skip
EVERY_SECTOR = "全部行业"
EVERYWHERE = "全国"
