"""Templates: configurations that need a name and a symbol and nothing else."""

from decimal import Decimal

import pytest

from domain.config import parse_config
from domain.config_errors import InvalidConfig
from domain.templates import bot_from_template, templates


@pytest.mark.parametrize("template", [template.name for template in templates()])
def test_every_template_makes_a_valid_bot(template: str) -> None:
    config = parse_config(bot_from_template(template, id="mine", symbol="ETH/USDT", venue="kraken", interval="5m"))

    assert (config.id, config.symbol, config.venue.name, config.data.interval) == ("mine", "ETH/USDT", "kraken", "5m")
    assert config.broker.type == "kraken"
    assert config.enabled
    assert config.broker.cash == 1000


def test_what_is_given_wins_over_the_template() -> None:
    config = parse_config(
        bot_from_template(
            id="a", symbol="X/Y", name="Mine", cash=Decimal("12.5"), enabled=False, base_url="http://localhost:1"
        )
    )

    assert (config.name, config.broker.cash, config.enabled) == ("Mine", Decimal("12.5"), False)
    assert config.broker.base_url == "http://localhost:1"


def test_bots_of_one_template_share_no_parts() -> None:
    first, second = (bot_from_template(id=name, symbol="X/Y") for name in "ab")
    first["strategy"]["parameters"]["entry_logic"]["params"]["e_rsi_period"] = 3
    first["risk_management"]["stop_loss_pct"] = 1

    assert second["strategy"]["parameters"]["entry_logic"]["params"]["e_rsi_period"] == 14
    assert second["risk_management"]["stop_loss_pct"] == 3.0


def test_every_template_says_what_it_does() -> None:
    assert all(template.description.endswith(".") for template in templates())


def test_an_unknown_template_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidConfig, match="did you mean rsi-tight"):
        bot_from_template("rsi_tight", id="a", symbol="X/Y")
