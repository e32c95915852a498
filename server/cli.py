"""`chengtu`: the command line."""

import os
import sys
import tempfile
import traceback
from pathlib import Path

import click

from core.errors import ChengtuError
from core.language import spoken
from core.settings import read_settings
from server.commands.datasets import datasets
from server.commands.doctor import doctor
from server.commands.increment import increment
from server.commands.join import join
from server.commands.load import load
from server.commands.profiles import profiles
from server.commands.sample import sample
from server.commands.tiles import tiles
from server.commands.up import up
from server.console import LANGUAGE, words


@click.group(
    help=words(
        "Chengtu: a city's spatial data as OGC APIs. Exit codes: 0 done, 1 failed, 2 bad input, 3 surroundings at fault.",
        "城图:以 OGC API 提供全市空间数据。退出码:0 完成,1 失败,2 输入有误,3 运行环境有问题。",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Read the settings once, for whatever command follows."""
    spoken.set(LANGUAGE)
    context.obj = read_settings()


for command in (up, load, join, increment, datasets, profiles, sample, tiles, doctor):
    cli.add_command(command)


def main() -> None:
    """Run a command; what goes wrong is one line on standard error, and an exit code."""
    try:
        cli(standalone_mode=False)
    except ChengtuError as error:
        click.echo(f"chengtu: {error.message(LANGUAGE)}", err=True)
        sys.exit(error.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except Exception as error:  # a fault of ours: the trace goes where it can be sent on, the person gets one line
        click.echo(f"chengtu: {_unforeseen(error)}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo(words("stopped", "已停止"), err=True)
        sys.exit(130)


def _unforeseen(error: Exception) -> str:
    """Keep the trace of an error that nobody foresaw, and say where."""
    trace = Path(tempfile.gettempdir()) / f"chengtu-error-{os.getpid()}.log"
    trace.write_text("".join(traceback.format_exception(error)), "utf-8")
    return words(f"unforeseen error; please report it with {trace}", f"意外错误,请附上 {trace} 报告问题")


if __name__ == "__main__":
    main()
