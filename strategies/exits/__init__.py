"""Exit logics: when to sell what was bought. One small file each."""
