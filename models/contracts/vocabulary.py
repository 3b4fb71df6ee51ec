"""Every closed list of words, each with its Chinese label; packs, tables, pages and JSON use these and no others."""

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A word with a Chinese label for people."""

    label: str

    def __new__(cls, value: str, label: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class CaseKind(Word):
    POLICY = "policy", "保单"
    HAZARD = "hazard", "隐患"
    CLAIM = "claim", "理赔"


class Sector(Word):
    NON_COAL_MINING = "non_coal_mining", "非煤矿山"
    COAL_MINING = "coal_mining", "煤矿"
    HAZARDOUS_CHEMICALS = "hazardous_chemicals", "危险化学品"
    FIREWORKS = "fireworks", "烟花爆竹"
    METAL_SMELTING = "metal_smelting", "金属冶炼"
    ROAD_TRANSPORT = "road_transport", "道路运输"
    URBAN_RAIL = "urban_rail", "城市轨道交通"
    WATERWAY_TRANSPORT = "waterway_transport", "水路运输"
    HOUSING_CONSTRUCTION = "housing_construction", "房屋建筑施工"
    MUNICIPAL_CONSTRUCTION = "municipal_construction", "市政工程施工"
    TRANSPORT_CONSTRUCTION = "transport_construction", "交通工程施工"
    WATER_WORKS_CONSTRUCTION = "water_works_construction", "水利工程施工"
    CIVIL_EXPLOSIVES = "civil_explosives", "民用爆炸物品"
    FISHERY = "fishery", "渔业生产"
    OTHER = "other", "其他行业"


class Size(Word):
    LARGE = "large", "大型"
    MEDIUM = "medium", "中型"
    SMALL = "small", "小型"
    MICRO = "micro", "微型"


class Role(Word):
    INSURER = "insurer", "保险机构"
    INSURED = "insured", "投保单位"
    PROVIDER = "provider", "服务机构"
    BROKER = "broker", "保险经纪机构"
    EMERGENCY = "emergency", "应急管理部门"
    INDUSTRY = "industry", "行业主管部门"
    FINANCIAL = "financial", "金融监管部门"
    LOCAL_FINANCE = "local_finance", "地方金融监管部门"
    JOINT_CONFERENCE = "joint_conference", "联席会"
    SAFETY_OFFICE = "safety_office", "安委办"
    PLATFORM = "platform", "信息平台"
    HUMAN_QUEUE = "human_queue", "人工处理"


class ActorKind(Word):
    INSURER = "insurer", "保险机构"
    DEPARTMENT = "department", "政府部门"
    ENTERPRISE = "enterprise", "投保单位"
    PROVIDER = "provider", "服务机构"
    OPERATOR = "operator", "运维人员"
    SYSTEM = "system", "系统"


class Post(Word):
    """What a user may do inside its own organisation."""

    INSURER_ADMIN = "insurer_admin", "机构管理员"
    INSURER_HANDLER = "insurer_handler", "经办人"
    INSURER_AUDITOR = "insurer_auditor", "审计员"
    DEPARTMENT_OFFICER = "department_officer", "部门工作人员"
    PROVIDER_ASSESSOR = "provider_assessor", "服务机构人员"
    OPERATOR = "operator", "运维人员"


class CameBy(Word):
    """How somebody who uses the pages has shown who it is."""

    OIDC = "oidc", "统一身份认证"
    CODE = "code", "邮箱验证码"


class AskedFor(Word):
    """What the holder of a registered address can ask to be mailed."""

    CODE_TO_ENTER = "code_to_enter", "登录验证码"
    CODE_TO_ACT = "code_to_act", "办理验证码"
    FRESH_LINK = "fresh_link", "新的办理链接"


class By(Word):
    LAW = "law", "法规规定"
    CONTRACT = "contract", "合同约定"
    PRODUCT = "product", "系统约定"


class TermUnit(Word):
    NATURAL_DAY = "natural_day", "日"
    WORKING_DAY = "working_day", "个工作日"
    HOUR = "hour", "小时"
    YEAR = "year", "年"


class FirstDay(Word):
    EXCLUDED = "excluded", "起算日不计入"
    INCLUDED = "included", "起算日计入"


class OnHoliday(Word):
    ROLL_FORWARD = "roll_forward", "末日遇休息日顺延"
    KEEP = "keep", "末日不顺延"


class Combine(Word):
    MAX = "max", "取高者"
    MIN = "min", "取低者"
    REPLACE = "replace", "以下级为准"


class RateBase(Word):
    PREMIUM_TOTAL = "premium_total", "保费总额"
    PREMIUM_COLLECTED = "premium_collected", "实际收取保费"
    PER_PERSON = "per_person", "每人"


class Occurs(Word):
    ONCE = "once", "一案一次"
    EACH_TIME = "each_time", "每次发生"


class Event(Word):
    """What can happen to a case. The third word tells whose life it belongs to."""

    case: CaseKind

    def __new__(cls, value: str, label: str, case: CaseKind = CaseKind.POLICY) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.case = case
        return member

    POLICY_SIGNED = "policy_signed", "保单签署"
    POLICY_EFFECTIVE = "policy_effective", "合同生效"
    POLICY_OPENED = "policy_opened", "建档"
    POLICY_UPLOADED = "policy_uploaded", "上传电子保单"
    PROVIDER_NAMED = "provider_named", "确定服务机构"
    PLAN_FILED = "plan_filed", "提交服务计划"
    PLAN_CONFIRMED = "plan_confirmed", "投保单位确认计划"
    VISIT_RECORDED = "visit_recorded", "记录服务"
    SERVICE_RATED = "service_rated", "评价服务"
    FIRST_SERVICE_DONE = "first_service_done", "首次服务"
    QUALIFIED_SERVICE_DONE = "qualified_service_done", "完成一次风险辨识评估或隐患排查服务"
    SERVICE_COMPLETED = "service_completed", "服务完成"
    SPEND_RECORDED = "spend_recorded", "列支服务费"
    POLICY_YEAR_STARTED = "policy_year_started", "保险年度开始"
    CONTRACT_YEAR_STARTED = "contract_year_started", "合同服务年度开始"
    CONTRACT_SERVICES_DONE = "contract_services_done", "完成合同约定的年度服务次数"
    POLICY_EXPIRES = "policy_expires", "保险期间届满日"
    POLICY_EXPIRED = "policy_expired", "保险期间届满"
    POLICY_LAPSED = "policy_lapsed", "届满未续保"
    POLICY_RENEWED = "policy_renewed", "续保"
    POLICY_SURRENDERED = "policy_surrendered", "退保"
    POLICY_ENDORSED = "policy_endorsed", "批改"
    OUT_OF_AREA_FILED = "out_of_area_filed", "异地投保报备"
    RATE_REVIEW_MARKED = "rate_review_marked", "标记续保费率复核"
    CLOCK_SUSPENDED = "clock_suspended", "中止计时"
    CLOCK_RESUMED = "clock_resumed", "恢复计时"
    DUTY_EXTENDED = "duty_extended", "延期"
    DUTY_EXCUSED = "duty_excused", "说明理由"
    DUTY_ACKNOWLEDGED = "duty_acknowledged", "部门签收"
    DUTY_TAKEN_OVER = "duty_taken_over", "部门接手"
    DUTY_PASSED_ON = "duty_passed_on", "部门转办"
    DEPARTMENT_ANSWERED = "department_answered", "部门答复"
    RUNG_FIRED = "rung_fired", "通知"
    RUNG_PASSED_OVER = "rung_passed_over", "补录时已过，未发送"
    CALENDAR_ADOPTED = "calendar_adopted", "采用新工作日历"
    RULES_ADOPTED = "rules_adopted", "改用新规则"
    HAZARD_FOUND = "hazard_found", "发现隐患", CaseKind.HAZARD
    HAZARD_TOLD = "hazard_told", "书面告知投保单位", CaseKind.HAZARD
    RECTIFICATION_CLAIMED = "rectification_claimed", "申报整改完成", CaseKind.HAZARD
    RECTIFICATION_REFUSED = "rectification_refused", "拒不整改", CaseKind.HAZARD
    RECTIFICATION_OVERDUE = "rectification_overdue", "逾期未整改", CaseKind.HAZARD
    RECHECK_PASSED = "recheck_passed", "复核通过", CaseKind.HAZARD
    RECHECK_FAILED = "recheck_failed", "复核未通过", CaseKind.HAZARD
    HAZARD_OBJECTED = "hazard_objected", "提出异议", CaseKind.HAZARD
    OBJECTION_UPHELD = "objection_upheld", "异议成立", CaseKind.HAZARD
    OBJECTION_REJECTED = "objection_rejected", "异议不成立", CaseKind.HAZARD
    MORE_TIME_ASKED = "more_time_asked", "申请延长整改期限", CaseKind.HAZARD
    MORE_TIME_DECLINED = "more_time_declined", "不同意延长整改期限", CaseKind.HAZARD
    HAZARD_REPORTED = "hazard_reported", "重大隐患报告部门", CaseKind.HAZARD
    HAZARD_ANSWERED = "hazard_answered", "部门处理答复", CaseKind.HAZARD
    HAZARD_CLOSED = "hazard_closed", "隐患销号", CaseKind.HAZARD
    CLAIM_REPORTED = "claim_reported", "报案", CaseKind.CLAIM
    CASUALTIES_UPDATED = "casualties_updated", "更新伤亡和损失", CaseKind.CLAIM
    ACCIDENT_REGRADED = "accident_regraded", "事故等级变更", CaseKind.CLAIM
    DOCUMENTS_REQUESTED = "documents_requested", "一次性通知补充材料", CaseKind.CLAIM
    DOCUMENTS_ARRIVED = "documents_arrived", "收到部分材料", CaseKind.CLAIM
    DOCUMENTS_RECEIVED = "documents_received", "材料收齐", CaseKind.CLAIM
    CLAIM_DOCUMENTS_COMPLETE = "claim_documents_complete", "索赔请求和证明材料齐备", CaseKind.CLAIM
    CLAIM_SURVEYED = "claim_surveyed", "查勘", CaseKind.CLAIM
    LOSS_ASSESSED = "loss_assessed", "定损", CaseKind.CLAIM
    LIMITS_SET = "limits_set", "确认责任限额", CaseKind.CLAIM
    PATH_CHOSEN = "path_chosen", "选定理赔路径", CaseKind.CLAIM
    SMALL_FAST_STARTED = "small_fast_started", "启动小额快付", CaseKind.CLAIM
    LARGE_PREPAY_STARTED = "large_prepay_started", "启动大额预付", CaseKind.CLAIM
    EMERGENCY_ADVANCE_STARTED = "emergency_advance_started", "启动紧急费用垫付", CaseKind.CLAIM
    CLAIM_DETERMINED = "claim_determined", "核定", CaseKind.CLAIM
    SETTLEMENT_AGREED = "settlement_agreed", "达成赔偿协议", CaseKind.CLAIM
    COVERAGE_DENIED = "coverage_denied", "核定不属于保险责任", CaseKind.CLAIM
    PAYMENT_PROPOSED = "payment_proposed", "提出付款", CaseKind.CLAIM
    PAYMENT_APPROVED = "payment_approved", "审批付款", CaseKind.CLAIM
    PAYMENT_INSTRUCTED = "payment_instructed", "发出付款指令", CaseKind.CLAIM
    PAYMENT_CONFIRMED = "payment_confirmed", "付款到账", CaseKind.CLAIM
    PAYMENT_FAILED = "payment_failed", "付款失败", CaseKind.CLAIM
    PAYMENT_UNKNOWN = "payment_unknown", "付款结果不明", CaseKind.CLAIM
    PAYMENT_VOIDED = "payment_voided", "付款作废", CaseKind.CLAIM
    PAYMENT_DISPUTED = "payment_disputed", "付款结果矛盾", CaseKind.CLAIM
    ADVANCE_SET_OFF = "advance_set_off", "垫付冲抵赔款", CaseKind.CLAIM
    PAYMENT_RECOVERED = "payment_recovered", "款项追回", CaseKind.CLAIM
    MINIMUM_PREPAID = "minimum_prepaid", "先予支付可确定的数额", CaseKind.CLAIM
    LARGE_PREPAID = "large_prepaid", "大额预付到账", CaseKind.CLAIM
    EMERGENCY_ADVANCED = "emergency_advanced", "紧急费用垫付到账", CaseKind.CLAIM
    CLAIM_PAID = "claim_paid", "赔付", CaseKind.CLAIM
    CLAIM_REFUSED = "claim_refused", "拒赔", CaseKind.CLAIM
    CLAIM_COMPLETED = "claim_completed", "理赔完成", CaseKind.CLAIM
    CLAIM_RESULT_UPLOADED = "claim_result_uploaded", "上传理赔结果", CaseKind.CLAIM
    CLAIM_CLOSED = "claim_closed", "结案", CaseKind.CLAIM
    CLAIM_REOPENED = "claim_reopened", "重开案件", CaseKind.CLAIM
    CLAIM_WITHDRAWN = "claim_withdrawn", "撤案", CaseKind.CLAIM
    LITIGATION_ENDED = "litigation_ended", "诉讼或者仲裁有了结果", CaseKind.CLAIM


class PolicyStage(Word):
    """How far the policy has come; only ever moves forward."""

    SIGNED = "signed", "已签署"
    UPLOADED = "uploaded", "已上传"
    PROVIDER_NAMED = "provider_named", "已定服务机构"
    PLAN_FILED = "plan_filed", "计划已提交"
    PLAN_CONFIRMED = "plan_confirmed", "计划已确认"
    SERVING = "serving", "服务中"
    SERVED = "served", "服务已完成"
    RENEWED = "renewed", "已续保"
    EXPIRED = "expired", "已届满"
    SURRENDERED = "surrendered", "已退保"


class PolicyKind(Word):
    ANNUAL = "annual", "一年期"
    SEASONAL = "seasonal", "季节性"
    PROJECT = "project", "按工程周期"


class HazardGrade(Word):
    ORDINARY = "ordinary", "一般隐患"
    MAJOR = "major", "重大事故隐患"


class HazardStage(Word):
    FOUND = "found", "已发现"
    TOLD = "told", "已告知"
    CLAIMED = "claimed", "待复核"
    FAILED = "failed", "复核未通过"
    REFUSED = "refused", "拒不整改"
    CLOSED = "closed", "已销号"
    STOPPED = "stopped", "已终止"


class ServiceDimension(Word):
    """In what an insured rates a service; each with one to five stars (应急监二〔2023〕84号 附件 四)."""

    ATTITUDE = "attitude", "服务态度"
    PROFESSIONALISM = "professionalism", "专业度"
    TIMELINESS = "timeliness", "及时性"


class SurrenderReason(Word):
    CLOSED_BY_LAW = "closed_by_law", "被依法关闭取缔"
    FULLY_STOPPED = "fully_stopped", "完全停止生产经营活动"
    PROJECT_ENDED = "project_ended", "工程提前竣工"
    CONVERTED = "converted", "转保其他保险机构的安责险"
    OTHER = "other", "其他原因"


class CauseKind(Word):
    """Why a step was taken."""

    COMMAND = "command", "指令"
    ALARM = "alarm", "到时"
    NEWS = "news", "消息"


class StopReason(Word):
    MET = "met", "已履行"
    SURRENDERED = "surrendered", "保单退保"
    EXPIRED = "expired", "保险期间届满"
    CLOSED = "closed", "案件办结"
    EXCUSED = "excused", "已说明理由"
    NOT_A_HAZARD = "not_a_hazard", "异议成立，不属于隐患"
    WITHDRAWN = "withdrawn", "撤案"
    RULES_CHANGED = "rules_changed", "新规则不再要求"


class RuleShift(Word):
    """What another version of the documents makes of one duty of a running case."""

    EARLIER = "earlier", "提前"
    LATER = "later", "推后"
    REWORDED = "reworded", "期限不变，要求有变"
    GONE = "gone", "不再要求"
    NEW = "new", "新增"
    KEPT = "kept", "按新规则已届满，仍照原规则"
    PAST = "past", "新增的期限早已届满，不追溯"
    MET = "met", "按新规则已经完成"


class SuspendReason(Word):
    PRODUCTION_STOPPED = "production_stopped", "企业停产停业"
    DISASTER = "disaster", "自然灾害"
    EPIDEMIC = "epidemic", "公共卫生事件"
    DEPARTMENT_ORDER = "department_order", "部门指令"
    DISPUTE = "dispute", "争议处理"
    DOCUMENTS_AWAITED = "documents_awaited", "等待补充材料"


class SpendPurpose(Word):
    TRAINING = "training", "宣传教育培训"
    RISK_ASSESSMENT = "risk_assessment", "风险辨识评估和安全评价"
    HAZARD_INSPECTION = "hazard_inspection", "隐患排查治理"
    RISK_CONTROL = "risk_control", "风险管控"
    EMERGENCY_DRILL = "emergency_drill", "应急预案与演练"
    STANDARDISATION = "standardisation", "安全生产标准化"
    SAFETY_TECHNOLOGY = "safety_technology", "安全生产科技推广"
    SAFETY_REWARD = "safety_reward", "安全奖励"


class ServiceItem(Word):
    TRAINING = "training", "安全生产宣传教育培训"
    RISK_ASSESSMENT = "risk_assessment", "安全风险辨识、评估和安全评价"
    HAZARD_INSPECTION = "hazard_inspection", "生产安全事故隐患排查"
    STANDARDISATION = "standardisation", "安全生产标准化建设"
    EMERGENCY_DRILL = "emergency_drill", "应急预案编制和演练"
    SAFETY_TECHNOLOGY = "safety_technology", "安全生产科技推广应用"
    OTHER = "other", "其他服务"


class PolicyField(Word):
    """Fields of a policy that a pack may require."""

    LIMIT_PER_PERSON = "limit_per_person", "每人责任限额"
    SERVICE_ITEMS = "service_items", "合同约定的服务项目"
    SERVICE_FREQUENCY = "service_frequency", "合同约定的服务频次"
    ALL_EMPLOYEES = "all_employees", "覆盖全体从业人员"
    FILED_CLAUSE = "filed_clause", "备案条款编号"
    OUT_OF_AREA_FILING = "out_of_area_filing", "异地投保报备编号"


class NoticeKind(Word):
    POLICY_OPENED = "policy_opened", "保单已建档"
    DUTY_REMINDER = "duty_reminder", "履职提醒"
    DUTY_OVERDUE = "duty_overdue", "逾期通知"
    DUTY_STANDING = "duty_standing", "未尽事项告知"
    HAZARD_NOTICE = "hazard_notice", "隐患告知"
    RECTIFICATION_REMINDER = "rectification_reminder", "整改提醒"
    MAJOR_HAZARD_REPORT = "major_hazard_report", "重大事故隐患报告"
    RECHECK_RESULT = "recheck_result", "复核结果"
    PLAN_CONFIRMATION = "plan_confirmation", "服务计划确认"
    RENEWAL_REMINDER = "renewal_reminder", "续保提醒"
    POLICY_LAPSED = "policy_lapsed", "脱保通知"
    POLICY_SURRENDERED = "policy_surrendered", "退保通知"
    DATE_MOVED = "date_moved", "期限变更告知"
    RULES_CHANGED = "rules_changed", "规则变更告知"
    HAZARD_OBJECTION = "hazard_objection", "隐患异议"
    OBJECTION_ANSWER = "objection_answer", "异议答复"
    MORE_TIME_ASKED = "more_time_asked", "整改延期申请"
    MORE_TIME_ANSWER = "more_time_answer", "整改延期答复"
    SERVICE_RATING = "service_rating", "服务评价邀请"
    CLAIM_OPENED = "claim_opened", "理赔受理"
    DOCUMENTS_REQUESTED = "documents_requested", "一次性补充材料通知"
    CLAIM_RESULT = "claim_result", "核定结果通知"
    CLAIM_REFUSED = "claim_refused", "拒赔通知"
    CLAIM_WITHDRAWN = "claim_withdrawn", "撤案确认"
    ACCIDENT_REGRADED = "accident_regraded", "事故等级上升告知"
    PAYMENT_MADE = "payment_made", "付款到账通知"
    PAYMENT_STUCK = "payment_stuck", "付款待人工核实"


class Urgency(Word):
    NOW = "now", "立即"
    DIGEST = "digest", "汇总"


class NoticeStatus(Word):
    QUEUED = "queued", "待发"
    ACCEPTED = "accepted", "已送达邮件服务器"
    AMBIGUOUS = "ambiguous", "结果不明，已重发"
    BOUNCED = "bounced", "退信"
    UNDELIVERED = "undelivered", "未能送达"
    ACKNOWLEDGED = "acknowledged", "已签收"


class DayMark(Word):
    """What a day did in the counting of a term."""

    START = "start", "起算日，不计入"
    COUNTED = "counted", "计入"
    REST_COUNTED = "rest_counted", "休息日，计入"
    REST_SKIPPED = "rest_skipped", "休息日，不计"
    SUSPENDED = "suspended", "中止，不计"
    EXTENDED = "extended", "延期"
    ROLLED = "rolled", "末日遇休息日，顺延"
    DUE = "due", "到期日"


class DayNote(Word):
    """Why a day of an explanation is what it is, where no document says so by name."""

    WEEKEND = "weekend", "周末"
    MAKE_UP = "make_up", "调休上班"
    UNPUBLISHED = "unpublished", "该年放假安排尚未公布，暂按周末和固定节日推算"
    GIVEN = "given", "期限随事件指定"
    EXPIRY = "expiry", "不超过保险期间届满日"


class TaskKind(Word):
    """Why something waits for a person in the operators' queue."""

    NO_ROUTE = "no_route", "无对应部门"
    NO_ADDRESS = "no_address", "部门未登记邮箱"
    BOUNCED = "bounced", "退信"
    UNDELIVERED = "undelivered", "多次发送失败"
    PAYMENT_UNKNOWN = "payment_unknown", "付款结果不明"
    BOOKS_DIFFER = "books_differ", "对账不符"


class LinkPurpose(Word):
    """What the holder of a mailed link may do."""

    RECTIFICATION = "rectification", "申报整改"
    PLAN = "plan", "确认服务计划"
    RATING = "rating", "评价服务"
    DEPARTMENT = "department", "部门签收与答复"


class AccidentKind(Word):
    GENERAL = "general", "一般情形"
    ROAD_TRAFFIC = "road_traffic", "道路交通事故"
    FIRE = "fire", "火灾事故"


class AccidentGrade(Word):
    """Grades of 国务院令第493号, from the lightest; not the classes of hazards."""

    ORDINARY = "ordinary", "一般事故"
    RELATIVELY_SERIOUS = "relatively_serious", "较大事故"
    MAJOR = "major", "重大事故"
    EXTRAORDINARILY_SERIOUS = "extraordinarily_serious", "特别重大事故"


class ClaimStage(Word):
    REPORTED = "reported", "已报案"
    DOCUMENTS_AWAITED = "documents_awaited", "等待补充材料"
    DETERMINED = "determined", "已核定"
    AGREED = "agreed", "已达成协议"
    DENIED = "denied", "核定不赔"
    REFUSED = "refused", "已拒赔"
    COMPLETED = "completed", "理赔完成"
    CLOSED = "closed", "已结案"
    WITHDRAWN = "withdrawn", "已撤案"


class ClaimPath(Word):
    ORDINARY = "ordinary", "普通理赔"
    SMALL_FAST = "small_fast", "小额快付"
    LARGE_PREPAY = "large_prepay", "大额预付"
    EMERGENCY_ADVANCE = "emergency_advance", "紧急费用垫付"


class LimitKind(Word):
    PER_PERSON = "per_person", "每人责任限额"
    PER_ACCIDENT = "per_accident", "每次事故责任限额"
    AGGREGATE = "aggregate", "累计责任限额"
    RESCUE = "rescue", "施救费用限额"
    COSTS = "costs", "鉴定和诉讼费用限额"


class LimitPot(Word):
    """What a loss counts against: the indemnity's limits, or a ceiling beside them."""

    INDEMNITY = "indemnity", "赔偿金额"
    RESCUE = "rescue", "施救费用"
    COSTS = "costs", "鉴定和诉讼费用"


class LossHead(Word):
    """What a loss is; the third word is its pot, the fourth whether a person must be named."""

    pot: LimitPot
    personal: bool

    def __new__(cls, value: str, label: str, pot: LimitPot = LimitPot.INDEMNITY, personal: bool = False) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.pot = pot
        member.personal = personal
        return member

    EMPLOYEE_DEATH = "employee_death", "从业人员死亡", LimitPot.INDEMNITY, True
    EMPLOYEE_DISABILITY = "employee_disability", "从业人员伤残", LimitPot.INDEMNITY, True
    MEDICAL = "medical", "医疗费用", LimitPot.INDEMNITY, True
    THIRD_PARTY_INJURY = "third_party_injury", "第三者人身伤亡", LimitPot.INDEMNITY, True
    THIRD_PARTY_PROPERTY = "third_party_property", "第三者财产损失"
    RESCUE = "rescue", "施救和减损费用", LimitPot.RESCUE
    APPRAISAL = "appraisal", "鉴定费用", LimitPot.COSTS
    LITIGATION = "litigation", "仲裁或者诉讼费用", LimitPot.COSTS


class EmergencyPurpose(Word):
    RESCUE = "rescue", "事故抢险救援"
    MEDICAL = "medical", "医疗救治"
    EVACUATION = "evacuation", "人员转移安置"
    CONTAINMENT = "containment", "防止损失扩大"
    APPRAISAL = "appraisal", "事故鉴定"
    FUNERAL = "funeral", "善后处理"


class PayeeKind(Word):
    VICTIM = "victim", "受害人"
    INSURED = "insured", "被保险人"
    SUPPLIER = "supplier", "救援、医疗、鉴定等机构"


class PaymentKind(Word):
    SETTLEMENT = "settlement", "赔款"
    PREPAYMENT = "prepayment", "大额预付"
    MINIMUM = "minimum", "先予支付"
    ADVANCE = "advance", "紧急垫付"


class PaymentStatus(Word):
    PROPOSED = "proposed", "待审批"
    APPROVED = "approved", "已审批，指令发出中"
    INSTRUCTED = "instructed", "已发出指令"
    CONFIRMED = "confirmed", "已到账"
    FAILED = "failed", "付款失败"
    UNKNOWN = "unknown", "结果不明，待人工核实"
    VOIDED = "voided", "已作废"


class OrderResult(Word):
    """What the insurer's core system says of a payment order."""

    ACCEPTED = "accepted", "已受理"
    CONFIRMED = "confirmed", "已到账"
    REFUSED = "refused", "未能支付"
    UNKNOWN = "unknown", "结果不明"


class AdvanceEnd(Word):
    """How an advance leaves its own ledger line."""

    SET_OFF = "set_off", "冲抵赔款"
    RECOVERED = "recovered", "追回"


class PathFact(Word):
    """What must be shown before a claim takes a path."""

    FACTS_TRUE = "facts_true", "事故真实"
    LIABILITY_CLEAR = "liability_clear", "责任明确"
    WITHIN_THRESHOLD = "within_threshold", "金额在约定的小额之内"
    SERIOUS_GRADE = "serious_grade", "事故等级为较大以上"
    PART_DETERMINED = "part_determined", "有已能确定的损失"
    NAMED_PURPOSE = "named_purpose", "用途在约定的垫付用途之内"
    WITHIN_CAP = "within_cap", "金额不超过约定的垫付上限"


class PathFigure(Word):
    """Figures of the contract, by the names they have in its claim terms."""

    DETERMINATION_DAYS = "determination_days", "核定天数"
    PAYMENT_DAYS = "payment_days", "付款天数"
    SMALL_FAST_THRESHOLD = "small_fast_threshold", "小额快付金额标准"
    SMALL_FAST_DAYS = "small_fast_days", "小额快付天数"
    LARGE_PREPAY_DAYS = "large_prepay_days", "大额预付天数"
    EMERGENCY_CAP = "emergency_cap", "紧急垫付上限"
    EMERGENCY_PURPOSES = "emergency_purposes", "紧急垫付用途"
    EMERGENCY_HOURS = "emergency_hours", "紧急垫付小时数"


class AuditEvent(Word):
    """What the audit trail records."""

    STEP = "step", "案卷变动"
    DENIED = "denied", "无权操作"
    NOT_SPELT_OUT = "not_spelt_out", "未逐条记录的拒绝"
    SIGNED_IN = "signed_in", "登录"
    SIGNED_OUT = "signed_out", "退出"
    SIGN_IN_FAILED = "sign_in_failed", "登录失败"
    LINK_OPENED_DEAD = "link_opened_dead", "打开失效链接"
    CODE_SENT = "code_sent", "发送验证码"
    CODE_FAILED = "code_failed", "验证码不符"
    KEY_MADE = "key_made", "发放密钥"
    KEY_REVOKED = "key_revoked", "吊销密钥"
    KEY_ROTATED = "key_rotated", "换发密钥"
    SIGHT = "sight", "查看原文"
    SETTING_CHANGED = "setting_changed", "更改设置"
    OPERATOR_ACT = "operator_act", "运维处理"
    EXPORTED = "exported", "导出"
    ACKNOWLEDGED = "acknowledged", "签收信件"
    VERIFIED = "verified", "查验审计"
    RESTORED = "restored", "从备份恢复"
    PAYLOADS_READ = "payloads_read", "查看流程内容"
    HANDED = "handed", "更改经办人"
    ERASED = "erased", "删除个人信息"
    ERASURE_HELD = "erasure_held", "暂缓删除"
    PERSON_TOLD = "person_told", "查询本人信息"


class RetentionWait(Word):
    """Why what is held about people is kept on, however long ago its term ended."""

    POLICY_OPEN = "policy_open", "保险合同尚未终止"
    CLAIM_OPEN = "claim_open", "有赔案未结"
    PAYMENT_OPEN = "payment_open", "有款项未付清"
    HELD = "held", "有人写明理由要求暂缓"


class AuditResult(Word):
    """How it came out."""

    DONE = "done", "完成"
    REFUSED = "refused", "拒绝"
    ADOPTED = "adopted", "启用审计时补记"
