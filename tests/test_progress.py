"""A progress bar is silent where nobody watches, and counts all the same."""

from nmt_ib.progress import progress_bar


def test_nothing_is_printed_where_standard_error_is_no_terminal(capsys):
    with progress_bar("items", 3, done=1) as advance:
        advance(1)
        advance(1)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_label_and_count(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("items", 3) as advance:
        advance(3)
    shown = capsys.readouterr().err
    assert "items" in shown
    assert "3/3" in shown


def test_a_bar_can_be_switched_off(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_bar("items", 3, shown=False) as advance:
        advance(3)
    assert capsys.readouterr().err == ""
