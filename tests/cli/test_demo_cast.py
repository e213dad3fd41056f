"""The six bots are valid, and different."""

from cli.demo.cast import CAST, config_of, symbols
from strategies.registry import validate


def test_every_bot_has_a_valid_configuration() -> None:
    for part in CAST:
        config = validate(config_of(part, "http://127.0.0.1:8899"))
        assert config.id == part.bot_id
        assert config.data.interval == "1s"
        assert config.trading.on_stop == "close_position"
        assert config.risk_management.stop_loss_pct is not None


def test_no_two_bots_are_alike() -> None:
    assert len(CAST) == 6
    assert len({part.bot_id for part in CAST}) == 6
    assert len({part.symbol for part in CAST}) == 6
    assert len({tuple(part.entry.items()) + tuple(part.exit.items()) for part in CAST}) == 6


def test_the_simulator_is_asked_for_the_symbols_of_the_bots() -> None:
    assert symbols() == "BTCUSDT,ETHUSDT,SOLUSDT,BNBUSDT,DOGEUSDT,XRPUSDT"
