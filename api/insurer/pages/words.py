"""Words the insurer's pages say from Python: titles of lists, names of files, answers."""

from models.contracts.vocabulary import CaseKind

TITLES = {CaseKind.POLICY: "保单", CaseKind.HAZARD: "隐患", CaseKind.CLAIM: "理赔"}
VICTIM = "{name}，尾号 {end}"
ERASED = "已删除（依据：{because}）"
TEMPLATE, RESULT = "批量导入模板.xlsx", "{name}-结果.xlsx"
NO_FILE = "请选择一个 Excel 或 CSV 文件。"
FILE_TOO_LARGE = "文件超过 {most} MB，请拆分后导入。"
