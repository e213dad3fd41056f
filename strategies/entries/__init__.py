"""Entry logics: when to buy. One small file each."""
