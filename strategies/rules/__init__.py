"""Rules as data: a condition over indicators, price and volume that stands in the bot's row."""
