"""Words the insurer's pages say from Python: titles of lists, headings of workbooks, answers."""

from models.contracts.vocabulary import CaseKind

TITLES = {CaseKind.POLICY: "保单", CaseKind.HAZARD: "隐患", CaseKind.CLAIM: "理赔"}
HEADINGS = (
    "编号",
    "保单",
    "投保单位",
    "地区",
    "行政区划代码",
    "行业",
    "规模",
    "环节",
    "等级",
    "签署日期",
    "生效日期",
    "届满日期",
    "最近的期限",
    "到期日",
    "日期暂定",
    "已逾期",
    "未销号隐患",
    "定损",
    "已付",
)
COVER, TAKEN_BY, TAKEN_AT, FILTERED_BY, LINES, YES = (
    "说明",
    "导出单位",
    "导出时间",
    "筛选条件",
    "条数",
    "是",
)
NARROW_DOWN = "导出的内容超过 {most} 行，请先用筛选条件缩小范围。"
VICTIM = "{name}，尾号 {end}"
TEMPLATE, RESULT = "批量导入模板.xlsx", "{name}-结果.xlsx"
NO_FILE = "请选择一个 Excel 或 CSV 文件。"
FILE_TOO_LARGE = "文件超过 {most} MB，请拆分后导入。"
