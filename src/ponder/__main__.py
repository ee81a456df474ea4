"""``python -m ponder``: the command, where the script is not on the path."""

from ponder.cli.main import main

if __name__ == "__main__":
    main()
