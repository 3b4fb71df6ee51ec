"""Every word the API itself says, Chinese with its English, and which status each problem has. No logic here."""

from typing import Self

from api.claims.words import CLAIM_REFUSALS
from models.contracts.vocabulary import Word

COMMAND_TOO_LARGE = (
    "这一项连同未填字段的缺省值不得超过 {most} KiB，请分几次办理或者减少条目；文件请先上传至 /v1/files。"
)

RULES_LACKING = (
    "{place}（{region}）{on} 施行、摘要 {digits}… 的规则文件不在本系统中，依据它的案卷暂时不能查看。案卷没有丢失；"
    "请把这些告诉平台运营，由其放回原文件。"
)

POSITION_AHEAD = "after 大于最近一次记录的位置：系统从备份恢复过。请从恢复点之前的位置重新读取，按案卷与 seq 去重。"


class ProblemCode(Word):
    """A stable problem code: Chinese title, status, English title, and what the caller should do."""

    status: int
    english: str
    advice: str

    def __new__(cls, value: str, label: str, status: int = 409, english: str = "", advice: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.status, member.english, member.advice = label, status, english, advice
        return member

    BAD_REQUEST = "bad_request", "请求无法理解", 400, "Bad request", "请检查请求的格式。"
    NOT_JSON = "not_json", "请求体不是合法的 JSON", 400, "Malformed JSON", "请以 UTF-8 编码的 JSON 重新提交。"
    DUPLICATE_KEY = (
        "duplicate_key",
        "JSON 对象中字段重复",
        400,
        "Duplicate key in a JSON object",
        "同一对象中每个字段只能出现一次。",
    )
    TOO_DEEP = "too_deep", "JSON 嵌套过深", 400, "JSON nested too deep", "请减少嵌套层数。"
    IDEMPOTENCY_KEY_MISSING = (
        "idempotency_key_missing",
        "缺少 Idempotency-Key",
        400,
        "Idempotency-Key is missing",
        "每个 POST 请求须带 Idempotency-Key 头，1 至 255 个可见 ASCII 字符。",
    )
    DUPLICATE_HEADER = "duplicate_header", "请求头重复", 400, "Duplicate header", "该请求头只能出现一次。"
    UNAUTHENTICATED = (
        "unauthenticated",
        "未通过身份验证",
        401,
        "Authentication required",
        "请使用有效的接口密钥：Authorization: Bearer anze_…",
    )
    FORBIDDEN = "forbidden", "没有这项权限", 403, "Not allowed", "请使用有相应权限的账号或接口密钥。"
    SCOPE_MISSING = (
        "scope_missing",
        "该密钥没有所需的授权",
        403,
        "The key lacks a scope",
        "请由运维人员发放带有相应授权的密钥：anze keys create --scope …",
    )
    FORM_FOREIGN = (
        "form_foreign",
        "表单不是从本页面提交的",
        403,
        "The form was not sent from its own page",
        "请重新打开页面再办理；如已停留很久，请重新登录。",
    )
    NOT_ONESELF = (
        "not_oneself",
        "不能对自己这样做",
        403,
        "Not for oneself",
        "请由本机构的另一位管理员办理；没有的，请联系平台运营。",
    )
    NOT_FOUND = "not_found", "没有找到", 404, "Not found", "请核对地址与编号。"
    METHOD_NOT_ALLOWED = "method_not_allowed", "不支持该方法", 405, "Method not allowed", "请查看接口说明。"
    CASE_CLOSED = "case_closed", "案件已办结，不再受理", 409, "The case is closed", "已办结的案件只能查询。"
    IN_PROGRESS = (
        "in_progress",
        "同一 Idempotency-Key 的请求正在处理",
        409,
        "A request with this key is in progress",
        "请稍后以同一 Idempotency-Key 重试。",
    )
    CONFLICT = (
        "conflict",
        "与已有的内容冲突",
        409,
        "In conflict with what is there",
        "尚未办理。请刷新后核对，再重新提交。",
    )
    TOO_LARGE = "too_large", "内容过大", 413, "Content too large", "请减小请求体；文件请先上传至 /v1/files。"
    UNSUPPORTED_MEDIA = (
        "unsupported_media",
        "不支持的内容类型",
        415,
        "Unsupported media type",
        "请求体须为 application/json，UTF-8 编码，不带 BOM，不压缩。",
    )
    INVALID = "invalid", "内容不符合要求", 422, "Unprocessable content", "请按 errors 中逐项说明修改。"
    KEY_REUSED = (
        "key_reused",
        "Idempotency-Key 已用于另一请求",
        422,
        "Idempotency-Key was used for another request",
        "内容不同的请求须使用新的 Idempotency-Key。",
    )
    UNKNOWN_VICTIM = (
        "unknown_victim",
        "引用的受害人不存在",
        422,
        "The victim is unknown",
        "请先登记受害人：/v1/claims/{claim_id}/victims，再引用其编号。",
    )
    UNKNOWN_FILE = (
        "unknown_file",
        "引用的文件不存在",
        422,
        "The file is unknown",
        "请先上传至 /v1/files，再引用其摘要。",
    )
    VICTIM_KNOWN = (
        "victim_known",
        "该受害人已登记",
        409,
        "The victim is registered already",
        "同一身份证件在同一赔案中只登记一次，请使用原编号。",
    )
    BAD_CURSOR = "bad_cursor", "分页游标无效", 422, "Invalid cursor", "请以相同的筛选条件从第一页重新开始。"
    FILE_REFUSED = (
        "file_refused",
        "不接受的文件",
        422,
        "The file is not accepted",
        "可上传 PDF、OFD、PNG、JPEG、WebP，内容须与格式一致。",
    )
    TOO_MANY = "too_many", "请求过于频繁", 429, "Too many requests", "请按 Retry-After 稍后重试。"
    HEADERS_TOO_LARGE = "headers_too_large", "请求头过大", 431, "Request header fields too large", "请减小请求头。"
    INTERNAL = "internal", "系统内部错误", 500, "Internal error", "请将请求编号（instance）告知运维人员。"
    OUTCOME_UNKNOWN = (
        "outcome_unknown",
        "结果尚不明确",
        503,
        "The outcome is unknown",
        "操作可能已经完成。请按 Retry-After 等待后，以同一 Idempotency-Key 重复同一请求，不会重复办理。",
    )
    UNAVAILABLE = "unavailable", "服务暂不可用", 503, "Service unavailable", "尚未办理。请按 Retry-After 稍后重试。"
    RULES_MISSING = (
        "rules_missing",
        "案卷依据的规则文件不在",
        503,
        "The rules a case is bound to are missing",
        "案卷没有丢失。请把 detail 中的地区、施行日和摘要告诉平台运营，由其放回原文件；放回之后再查看。",
    )


class FileFault(Word):
    """Why a file is not kept, told to whoever sent it."""

    HEIC = "heic", "不支持 HEIC 照片。请在手机的相机设置中选“兼容性最佳”（JPEG），或者先转成 JPEG 再上传。"
    TOO_MANY_PIXELS = "too_many_pixels", "照片超过 5000 万像素。请在相机设置中选较小的尺寸，或者先缩小再上传。"
    UNREADABLE = "unreadable", "照片无法读取，可能没有传完或者已经损坏。请重新拍照上传。"
    MISSING = "missing", "请至少附一张照片或者一份文件。"
    NOT_CLEAN = "not_clean", "文件没有通过安全检查，不予接收。"


class Scope(Word):
    """A further right of an insurer's key, given when the key is made."""

    VICTIMS_READ = "victims:read", "查看受害人未脱敏信息"
    PAYMENTS_CONFIRM = "payments:confirm", "回报付款结果"
    CLAIM_RULES_WRITE = "claim-rules:write", "设定本机构理赔规则"


class Reason(Word):
    """Why one field is refused, for people; keyed by the validator's error type. `bound` says what would be taken."""

    bound: str

    def __new__(cls, value: str, label: str, bound: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.bound = label, bound
        return member

    MISSING = "missing", "必填"
    EXTRA = "extra_forbidden", "不认识的字段"
    STRING = "string_type", "须为字符串"
    UNICODE = "string_unicode", "含有无效字符"
    REPEATED = "repeated", "同一参数只能给出一次"
    SHORT = "string_too_short", "过短", "，至少 {min_length} 个字"
    LONG = "string_too_long", "过长", "，最多 {max_length} 个字"
    PATTERN = "string_pattern_mismatch", "格式不符", "，{shape}"
    INTEGER = "int_type", "须为整数"
    INTEGER_PARSING = "int_parsing", "须为整数"
    FRACTION = "int_from_float", "须为整数"
    SIZE = "int_parsing_size", "数值过大"
    BOOLEAN = "bool_type", "须为 true 或 false"
    BOOLEAN_PARSING = "bool_parsing", "须为 true 或 false"
    WORD = "enum", "不是可用的取值", "，可填：{choices}"
    LITERAL = "literal_error", "不是可用的取值", "，可填：{choices}"
    UUID = "uuid_parsing", "编号格式不符"
    UUID_TYPE = "uuid_type", "编号格式不符"
    AWARE = "timezone_aware", "须带时区，例如 +08:00"
    DATE = "date_from_datetime_parsing", "不是有效的日期", "，例如 2026-01-31"
    DATE_PARSING = "date_parsing", "不是有效的日期", "，例如 2026-01-31"
    INSTANT = "datetime_from_date_parsing", "不是有效的时间", "，例如 2026-01-31T09:30:00+08:00"
    INSTANT_PARSING = "datetime_parsing", "不是有效的时间", "，例如 2026-01-31T09:30:00+08:00"
    MODEL = "model_attributes_type", "须为 JSON 对象"
    MODEL_TYPE = "model_type", "须为 JSON 对象"
    OBJECT = "dict_type", "须为 JSON 对象"
    LIST = "tuple_type", "须为数组"
    LIST_SHORT = "too_short", "数量不足", "，至少 {min_length} 项"
    LIST_LONG = "too_long", "数量过多", "，最多 {max_length} 项"
    LEAST = "greater_than_equal", "小于允许的最小值", " {ge}"
    MORE = "greater_than", "须大于最小值", " {gt}"
    MOST = "less_than_equal", "大于允许的最大值", " {le}"
    LESS = "less_than", "须小于最大值", " {lt}"
    DECIMAL = "decimal_parsing", "不是有效的金额", "，例如 1200.50"
    PLACES = "decimal_max_places", "小数位过多", "，最多 {decimal_places} 位"
    DIGITS = "decimal_max_digits", "位数过多", "，最多 {max_digits} 位"
    NUMBER = "not_a_number", "不是有限的数"
    CREDIT_CODE = "credit_code", "统一社会信用代码校验位不符"
    SURROGATE = "surrogate", "含有无效字符"
    OTHER = "other", "不符合要求"


FROM_LIST = "，请从列表中选择"
IN_SCHEMA = "，共 {many} 种，见 /openapi.json 中的 {name}"
"""Where there are too many choices to be told in a sentence."""

TITLE = "安责 anze"
REQUEST_ID_SAID = "本次请求的编号；请求可自带 8–64 位字母、数字、._- / id of this request; may be brought along"
RETRY_AFTER_SAID = "至少等待的秒数 / seconds to wait at least"
REFUSED_TITLE = "按规则不予办理"
REFUSALS: dict[str, str] = {
    "already_done": "该事项已经记录",
    "already_expired": "保险期间已届满，不再建档",
    "already_suspended": "计时已经中止",
    "case_closed": "案件已办结，不再受理",
    "case_full": "本案记录的内容已达上限",
    "date_in_future": "日期晚于今天",
    "date_out_of_range": "日期不在允许的范围内",
    "department_decides": "已报告主管部门，由主管部门认定",
    "duty_closed": "该项义务已履行或已终止",
    "extension_not_allowed": "该期限不得延期",
    "extension_too_late": "期限已届满，不能再延期",
    "extension_too_long": "超过可延期的天数",
    "fact_not_enterable": "该事项不能作为既往事实补录",
    "gate_closed": "前置条件尚未满足",
    "key_reused": "Idempotency-Key 已用于另一请求",
    "limit_below_floor": "每人责任限额低于当地最低要求",
    "not_a_department": "只有部门可以办理",
    "not_an_operator": "只有运维人员可以办理",
    "not_confirmed": "未经投保单位确认",
    "not_excusable": "该项义务不因说明理由而免除",
    "not_found": "没有找到",
    "not_open": "保单正在建档，请稍后重试",
    "not_suspended": "计时没有中止",
    "not_the_insured": "只有投保单位可以办理",
    "not_the_provider": "只有本保单当前确定的服务机构可以办理",
    "not_the_insurer": "只有保险机构可以办理",
    "nothing_asked": "没有待答复的申请或异议",
    "number_taken": "保单号已建档，内容不同",
    "ledger_differs": "照台账重走的结果与台账不符，须人工处理",
    "provision_forbidden": "当地只登记实际列支",
    "purpose_not_allowed": "不在允许的用途之内",
    "required_field_missing": "缺少当地规定的合同要素",
    "rules_differ": "现行规则与比较时不同",
    "rules_not_in_force": "新版规则尚未施行",
    "rules_of_another": "规则不是为本案查定的",
    "same_department": "不能转给本部门",
    "signed_in_future": "签署日晚于今天",
    "step_skipped": "须先完成前一步",
    "surrender_not_lawful": "不属于当地允许的退保情形",
    "unknown_duty": "本案没有这项期限",
    "unknown_visit": "本保单没有这次服务",
    "waits_for_answer": "前一次申请或异议尚未答复",
    "wrong_stage": "当前阶段不能办理",
    **CLAIM_REFUSALS,
}
"""What each refusal of a case means in general; the answer itself says it for the case at hand, with its clause."""
