"""What each pattern of the contracts asks for, in words; the patterns themselves stand with their contracts."""

ADDRESS_SAID = "须为一个邮箱地址"
SHAPES: dict[str, str] = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "只用字母、数字、点、横线、下划线，以字母或者数字开头",
    r"^[0-9]{6}$": "须为六位行政区划代码，例如 341300",
    r"^[0-9a-f]{64}$": "须为 64 位十六进制小写的 SHA-256",
    r"^[0-9A-HJ-NPQRTUWXY]{18}$": "须为 18 位统一社会信用代码，字母大写，例如 91341300MA2NXR5T8H",
    r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$": ADDRESS_SAID,
    r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s<>\"'\\]*)?$": "须为 https 网址",
    r"^[a-z][a-z0-9_]{1,59}(#[1-9][0-9]{0,3})?$": "须为期限在本案中的标识，例如 policy_upload",
    r"^[a-z][a-z0-9_]{1,59}$": "须为标识，以小写字母开头，只用小写字母、数字、下划线",
    r"^[a-z]+/[A-Za-z0-9.+-]+$": "须为媒体类型，例如 application/pdf",
    r"^[0-9A-Z]{6,24}$": "须为 6 至 24 位数字或者大写字母",
    r"^[0-9]{8,30}$": "须为 8 至 30 位数字",
    r"^\+?[0-9]{7,20}$": "须为 7 至 20 位数字，可以加号开头",
    r"^[A-Za-z0-9_-]+$": "须为上一页给出的位置",
}
"""A pattern without words is told as one that is not met, and nothing more."""
