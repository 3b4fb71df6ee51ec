"""Reads one YAML file strictly and remembers the line of every value; what the values mean is not known here."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rules.findings import Finding, RulesRefused, shown

Place = tuple[str | int, ...]
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LARGEST = 1_000_000  # bytes; the longest pack is a fiftieth of it
DEEPEST = 20  # levels; a pack needs nine
INTEGER = re.compile(r"^-?(0|[1-9][0-9]*)$", re.ASCII)
DECIMAL = re.compile(r"^-?(0|[1-9][0-9]*)\.[0-9]+$", re.ASCII)
# YAML 1.1 makes truth values of on, off, yes and no; here they are words, as their writers meant them.
WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass
class Document:
    """The content of one file as plain values, and the line each of them stands on."""

    file: str
    data: Any
    digest: str
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of a value, or of the nearest thing around it that is written down."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def finding(self, place: Place, reason: str) -> Finding:
        return Finding(self.file, self.line(place), spoken_path(self.data, place), reason)


def digest_of(content: bytes) -> str:
    """SHA-256 of a file whatever its line ends are."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def read_document(path: Path) -> Document:
    """Read one file. Raises RulesRefused with file and line for anything that is not plain, tidy YAML."""
    name = shown(path)
    text, digest = _content(path, name)
    try:
        _refuse_tricks(text, name)
        root = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        raise RulesRefused((_syntax(error, name),)) from error
    document = Document(name, None, digest)
    found: list[Finding] = []
    document.data = _build(root, (), document, found) if root is not None else None
    if found:
        raise RulesRefused(tuple(found))
    return document


def _content(path: Path, name: str) -> tuple[str, str]:
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            raise RulesRefused((Finding(name, 0, "", "文件过大"),))
        return content.decode("utf-8-sig"), digest_of(content)
    except UnicodeDecodeError as error:
        raise RulesRefused((Finding(name, 0, "", "文件不是 UTF-8 编码"),)) from error
    except OSError as error:
        raise RulesRefused((Finding(name, 0, "", f"无法读取文件（{error.strerror}）"),)) from error


def _refuse_tricks(text: str, name: str) -> None:
    """Anchors, aliases and tags hide what a reader should see; a few of them can also fill the memory."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=LOADER):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if reason := _trick(event, depth, documents):
            raise RulesRefused((Finding(name, event.start_mark.line + 1, "", reason),))


def _trick(event: Any, depth: int, documents: int) -> str:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "不得使用锚点或别名（& 与 *）"
    if getattr(event, "tag", None):
        return "不得使用标签（!）"
    if depth > DEEPEST:
        return "嵌套过深"
    return "一个文件只能有一份文档（---）" if documents > 1 else ""


def _syntax(error: yaml.YAMLError, name: str) -> Finding:
    mark = getattr(error, "problem_mark", None)
    detail = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Finding(name, mark.line + 1 if mark else 0, "", f"不是合法的 YAML（{detail}）")


def _build(node: Any, place: Place, document: Document, found: list[Finding]) -> Any:
    document.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*place, index), document, found) for index, item in enumerate(node.value)]
    content: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, wrong = _key(key_node, content)
        line = key_node.start_mark.line + 1
        if wrong:
            found.append(Finding(document.file, line, ".".join(str(part) for part in place), wrong))
            continue
        document.lines[(*place, key)] = line
        content[key] = _build(value_node, (*place, key), document, found)
    return content


def _key(node: Any, content: dict[str, Any]) -> tuple[str, str]:
    """The key as it is written (`on` stays a word, a date stays its text), and what is wrong with it."""
    if not isinstance(node, yaml.ScalarNode):
        return "", "键须是文字"
    if not node.style and not isinstance(_scalar(node), str):
        return "", f"键须是文字，“{node.value}”请加引号"
    if node.value == "<<":
        return "", "不得使用合并键（<<）"
    return node.value, f"键“{node.value}”重复" if node.value in content else ""


def _scalar(node: Any) -> Any:
    """A plain word, number or truth value; dates stay text and are read by whoever expects one."""
    text: str = node.value
    if node.style:
        return text
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if INTEGER.fullmatch(text) and len(text) <= 18:
        return int(text)
    return float(text) if DECIMAL.fullmatch(text) else text


def spoken_path(data: Any, place: Place) -> str:
    """`duties[policy_upload].within.unit`: list items are called by their id or role where they have one."""
    spoken = ""
    for step in _steps(data, place):
        spoken += step if step.startswith("[") or not spoken else f".{step}"
    return spoken


def _steps(data: Any, place: Place) -> Iterator[str]:
    for part in place:
        inner = _inside(data, part)
        if isinstance(part, int):
            called = (inner.get("id") or inner.get("name") or inner.get("field")) if isinstance(inner, dict) else None
            yield f"[{called if isinstance(called, str) else part + 1}]"
        else:
            yield part
        data = inner


def _inside(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None
