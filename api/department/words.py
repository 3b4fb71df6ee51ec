"""Chinese words of the department's lists, with their English in templates/english/department.yaml; nothing else."""

POLICIES, HAZARDS = "辖区保单", "辖区隐患"
EVERY_SECTOR = "全部行业"
EVERYWHERE = "全国"
