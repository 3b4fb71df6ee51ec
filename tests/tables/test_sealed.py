"""What is sealed can be read with its key, in its place, unchanged; and by nobody else."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.tables.sealed import FieldKeys, FieldOf, Unreadable, new_key

A, B = UUID(int=1), UUID(int=2)
NAME = FieldOf(A, UUID(int=7), "name")
OLD, NEW = new_key(), new_key()
KEYS = FieldKeys.parse(f"k1:{OLD}")
ROTATED = FieldKeys.parse(f"k2:{NEW}, k1:{OLD}")


@given(st.text(max_size=200).filter(lambda text: text.isprintable()))
def test_what_was_sealed_comes_back_and_is_not_in_the_ciphertext(value: str):
    sealed = KEYS.seal(value, NAME)
    assert KEYS.open(sealed, NAME) == value
    assert len(value) < 6 or value.encode() not in sealed


def test_the_same_value_is_never_sealed_the_same_way_twice():
    assert len({KEYS.seal("王某", NAME) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "place", [FieldOf(B, NAME.ref, "name"), FieldOf(A, UUID(int=8), "name"), FieldOf(A, NAME.ref, "phone")]
)
def test_a_field_cannot_be_moved_to_another_insurer_person_or_column(place: FieldOf):
    with pytest.raises(Unreadable):
        KEYS.open(KEYS.seal("王某", NAME), place)


def test_every_changed_bit_and_every_cut_is_noticed():
    sealed = KEYS.seal("6222000000000000", NAME)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Unreadable):
            KEYS.open(bytes(changed), NAME)
        with pytest.raises(Unreadable):
            KEYS.open(sealed[:position], NAME)


def test_after_a_rotation_old_fields_open_new_ones_use_the_new_key_and_without_the_old_key_they_stay_shut():
    old = KEYS.seal("王某", NAME)
    assert ROTATED.open(old, NAME) == "王某"
    assert (ROTATED.is_current(old), ROTATED.is_current(ROTATED.seal("王某", NAME))) == (False, True)
    with pytest.raises(Unreadable):
        FieldKeys.parse(f"k2:{NEW}").open(old, NAME)


def test_the_same_person_is_recognised_across_a_rotation_but_not_across_insurers():
    entered = KEYS.look_alike("34130219800101123x", A)
    assert entered in ROTATED.look_alikes(" 34130219800101123X", A)
    assert entered not in ROTATED.look_alikes("34130219800101123X", B)
    assert "3413" not in entered


@pytest.mark.parametrize(
    "text",
    ["", "k1", "k1:", f"k1:{OLD},k1:{NEW}", "k1:AAAA", "k1:" + "A" * 43 + "=", f":{OLD}"],
    ids=["nothing", "name only", "no key", "one name twice", "short", "all zero", "no name"],  # keys are made anew
)
def test_bad_keys_are_refused_without_being_repeated(text: str):
    with pytest.raises(ValueError, match="密钥须") as refused:
        FieldKeys.parse(text)
    assert OLD not in str(refused.value)
    assert OLD not in repr(KEYS)
