"""`python -m rnass` is `rnass`."""

from rnass.cli import main

if __name__ == "__main__":
    main()
