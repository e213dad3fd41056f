"""`credentials list`: which keys are stored, without what is secret about them."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich import box
from rich.table import Table

from cli.bots.tables import moment
from cli.credentials.ring import find_ring
from cli.options import AsJson, DataDir
from cli.output import emit_json, say, show
from cli.run import run
from cli.store import open_store
from cli.target import find_target
from db.credentials import CredentialsRecord

app = typer.Typer(add_completion=False)


@app.command("list")
def list_credentials(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List stored credentials: venue, the ends of the API key, the key they are encrypted under, who uses them."""
    run(_list(as_json, data_dir))


async def _list(as_json: bool, data_dir: Path | None) -> None:
    target = find_target(data_dir)
    async with open_store(target) as store:
        records = await store.credentials.list_records()
    if as_json:
        emit_json(records)
    elif records:
        show(_table(records, find_ring(target, data_dir).key_ids))
    else:
        say("There are no credentials yet; add some: python starter.py credentials add NAME --venue binance --key KEY")


def _table(records: Sequence[CredentialsRecord], key_ids: Sequence[str]) -> Table:
    columns = ("name", "venue", "API key", "encrypted under", "added", "rotated", "enabled bots")
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for record in records:
        table.add_row(
            record.name,
            record.venue,
            record.api_key_hint,
            f"{record.key_id}{_remark(record.key_id, key_ids)}",
            moment(record.created_at),
            moment(record.rotated_at),
            ", ".join(record.bots) or "—",
        )
    return table


def _remark(key_id: str, key_ids: Sequence[str]) -> str:
    if key_id not in key_ids:
        return ", not among the keys here"
    return "" if key_id == key_ids[0] else ", an older key"
