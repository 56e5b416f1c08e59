"""Shapes and types in signatures are checked while the tests run."""

from jaxtyping import install_import_hook

install_import_hook("nmt_ib", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")
