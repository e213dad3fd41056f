"""The command line: `python starter.py --help`. Its commands are in cli/."""

from cli.app import main

if __name__ == "__main__":
    main()
