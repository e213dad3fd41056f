"""The ids under which orders are sent."""

import re
import uuid

from domain.orders import client_order_id, order_prefix

UID = "3f1c1f3e-1111-4c59-9d3c-0a63a5a6b111"


def test_an_id_suits_every_exchange() -> None:
    """18 characters are what Kraken takes; a letter first and no hyphen suit the others."""
    for sequence in range(200):
        assert re.fullmatch(r"[a-z][a-z0-9]{17}", client_order_id(UID, sequence, sequence % 3))


def test_an_id_depends_on_bot_sequence_and_leg_alone_and_never_changes() -> None:
    """Fixed for ever: a history of last year must find its own orders again."""
    assert client_order_id(UID, 1) == client_order_id(UID, 1, 0) == "s2pr7zj7zf4fym4qrv"


def test_the_ids_of_a_bot_begin_with_its_prefix() -> None:
    prefix = order_prefix(UID)
    assert len(prefix) == 6
    assert all(client_order_id(UID, sequence).startswith(prefix) for sequence in range(100))


def test_a_hundred_thousand_ids_are_all_different() -> None:
    uids = [str(uuid.UUID(int=number)) for number in range(50)]
    ids = {client_order_id(uid, sequence, leg) for uid in uids for sequence in range(500) for leg in range(4)}
    assert len(ids) == 100_000


def test_prefixes_of_a_fleet_are_different() -> None:
    """Of 1,000 bots none shares a prefix here; of 36^5 that is what to expect."""
    assert len({order_prefix(str(uuid.UUID(int=number))) for number in range(1_000)}) == 1_000


def test_sequence_and_leg_do_not_run_into_each_other() -> None:
    assert client_order_id(UID, 1, 11) != client_order_id(UID, 11, 1)
    assert client_order_id(UID, 1) != client_order_id(f"{UID}:1", 0)
