"""Registers the search attributes of workflows/search.py with whatever Temporal server we are given."""

from collections.abc import Sequence
from importlib import import_module

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

Keys = Sequence[SearchAttributeKey]


class SearchAttributeConflict(RuntimeError):
    """The server has an attribute of this name with another type; somebody must rename one."""


def search_attributes() -> Keys:
    """The one list; imported late so that a process which only starts servers loads no workflow code."""
    return tuple(import_module("workflows.search").SEARCH_ATTRIBUTES)


async def ensure_search_attributes(client: Client, keys: Keys) -> None:
    """Register what is missing; harmless when repeated, also by several processes at once."""
    registered = await _registered(client)
    for name in _other(registered, keys):
        raise SearchAttributeConflict(
            f"搜索属性 {name} 已以另一种类型登记 / search attribute {name} exists with another type"
        )
    missing = {key.name: _type(key) for key in keys if key.name not in registered}
    if missing:
        await _add(client, missing)


async def unfit_search_attributes(client: Client, keys: Keys) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names the server does not have yet, and names it has with another type; no worker starts beside the latter."""
    registered = await _registered(client)
    return tuple(key.name for key in keys if key.name not in registered), _other(registered, keys)


def _other(registered: dict[str, int], keys: Keys) -> tuple[str, ...]:
    return tuple(key.name for key in keys if registered.get(key.name, int(key.indexed_value_type)) != _type(key))


async def _registered(client: Client) -> dict[str, int]:
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return {name: int(kind) for name, kind in answer.custom_attributes.items()}


async def _add(client: Client, missing: dict[str, IndexedValueType.ValueType]) -> None:
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as refusal:
        if refusal.status is not RPCStatusCode.ALREADY_EXISTS:  # another process was faster
            raise


def _type(key: SearchAttributeKey) -> IndexedValueType.ValueType:
    return IndexedValueType.ValueType(int(key.indexed_value_type))
