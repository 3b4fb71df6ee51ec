"""What reaches Temporal under payload keys cannot be read there, can be read here, and survives a change of keys."""

import asyncio

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from typer.testing import CliRunner

from models.tables.sealed import FieldKeys, new_key
from runtime.cli import app
from runtime.codec import SealedPayloads, Unreadable, converter, is_sealed, prove, require_readable
from runtime.replaying import Replayed
from runtime.settings import Settings

OLD, NEW = f"k1:{new_key()}", f"k2:{new_key()}"
SAID = "宿州皖北精细化工有限公司 三号反应釜"


def codec(keys: str) -> SealedPayloads:
    return SealedPayloads(FieldKeys.parse(keys))


def given(text: str = SAID) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())


async def test_what_is_sealed_says_nothing_and_opens_to_the_same():
    for text in (SAID, SAID * 200):
        (sealed,) = await codec(OLD).encode([given(text)])
        assert is_sealed(sealed)
        assert SAID.encode() not in sealed.SerializeToString()
        assert await codec(OLD).decode([sealed]) == [given(text)]


async def test_a_long_payload_becomes_shorter():
    (sealed,) = await codec(OLD).encode([given(SAID * 500)])
    assert len(sealed.data) < len((SAID * 500).encode()) / 10


async def test_the_same_payload_is_never_sealed_alike():
    first, second = await codec(OLD).encode([given(), given()])
    assert first.data != second.data


@pytest.mark.fault("F42")
async def test_after_a_rotation_old_payloads_open_and_new_ones_use_the_new_key():
    (sealed,) = await codec(OLD).encode([given()])
    rotated = codec(f"{NEW},{OLD}")
    assert await rotated.decode([sealed]) == [given()]
    (anew,) = await rotated.encode([given()])
    assert anew.metadata["anze-key"] == b"k2"


async def test_a_missing_key_and_every_changed_byte_are_refused():
    (sealed,) = await codec(OLD).encode([given()])
    with pytest.raises(Unreadable):
        await codec(NEW).decode([sealed])
    for place in range(len(sealed.data)):
        changed = bytearray(sealed.data)
        changed[place] ^= 1
        with pytest.raises(Unreadable):
            await codec(OLD).decode([Payload(metadata=dict(sealed.metadata), data=bytes(changed))])
    for length in range(len(sealed.data) - 1):
        with pytest.raises(Unreadable):
            await codec(OLD).decode([Payload(metadata=dict(sealed.metadata), data=sealed.data[:length])])


async def test_what_was_never_sealed_is_still_readable():
    assert await codec(OLD).decode([given()]) == [given()]


async def test_a_failure_is_sealed_with_its_words():
    sealing = converter(Settings.model_construct(payload_keys=SecretStr(OLD)))
    await prove(sealing)
    from temporalio.api.failure.v1 import Failure

    failure = Failure()
    await sealing.encode_failure(ValueError(SAID), failure)
    assert SAID.encode() not in failure.SerializeToString()
    assert SAID in str(await sealing.decode_failure(failure))


@pytest.mark.parametrize(
    ("keys", "said"),
    [(None, "ANZE_PAYLOAD_KEYS"), (NEW, "k1"), (f"{NEW},{OLD}", None)],
    ids=["none", "the newer alone", "both"],  # keys are by chance, and processes compare what they collected
)
async def test_lives_are_not_compared_under_keys_that_do_not_open_them(
    keys: str | None, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a key that is missing would look like code that does otherwise."""
    settings = Settings.model_construct(payload_keys=SecretStr(keys) if keys else None)
    sealed = await codec(OLD).encode([given()])

    async def replayed(*_: object) -> tuple[Replayed, ...]:
        await require_readable(converter(settings), sealed)
        return ()

    monkeypatch.setattr("runtime.commands.replay._replayed", replayed)
    ended = await asyncio.to_thread(CliRunner().invoke, app, ["replay"])
    assert ended.exit_code == (2 if said else 0)
    assert said is None or ("没有比" in ended.stderr and said in ended.stderr)
