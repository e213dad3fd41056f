"""Recorded lives of bots, replayed with the code of today: a running bot must survive every change of it."""
