from __future__ import annotations

from snn_perception.locations import resolve, share_directory


def test_a_plain_word_is_a_shipped_name_and_a_path_is_a_path(tmp_path):
    assert resolve('mnist', 'models') == share_directory() / 'models' / 'mnist'
    assert resolve(str(tmp_path), 'models') == tmp_path
    assert resolve('some/where', 'models').parts == ('some', 'where')


def test_a_package_uri_is_below_the_share_directory():
    uri = 'package://snn_perception/config/classify.yaml'
    assert resolve(uri, 'models') == share_directory() / 'config' / 'classify.yaml'
