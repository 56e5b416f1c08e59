"""`python -m nmt_ib` is `nmt-ib`."""

from nmt_ib.cli.main import main

if __name__ == "__main__":
    main()
