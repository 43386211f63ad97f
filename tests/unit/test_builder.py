"""The builder sets what the constructor takes."""

from __future__ import annotations

import inspect
import ssl

import pytest

from examples.chat.module_bindings import DbConnection
from spacetime_py import DbConnectionBuilder


def test_all_options_of_the_constructor_have_a_method() -> None:
    options = set(inspect.signature(DbConnection).parameters) - {"transport"}
    methods = {name for name in vars(DbConnectionBuilder) if not name.startswith("_")}
    of_options = {name.removeprefix("with_").removesuffix("_name") for name in methods - {"build"}}
    assert of_options == options


def test_it_builds_the_generated_class_still_to_be_entered() -> None:
    connection = (
        DbConnection.builder()
        .with_uri("http://localhost:3000")
        .with_database_name("chat")
        .with_token("secret")
        .with_compression("none")
        .with_reconnect(False)
        .with_protocols("v2", "v1")
        .with_confirmed_reads(True)
        .with_ping_interval(5.0)
        .with_ping_timeout(None)
        .with_headers({"X-Team": "orange"})
        .with_connect_timeout(1.0)
        .with_call_timeout(2.0)
        .with_max_message_size(1 << 20)
        .with_ssl_context(ssl.create_default_context())
        .on_connect(lambda *_: None)
        .on_connect_error(lambda *_: None)
        .on_disconnect(lambda *_: None)
        .on_reconnecting(lambda *_: None)
        .on_reconnected(lambda _: None)
        .on_callback_error(lambda _: None)
        .build()
    )
    assert type(connection) is DbConnection
    assert not connection.is_active


def test_a_missing_option_is_named() -> None:
    with pytest.raises(ValueError, match=r"with_uri\(\) is missing"):
        DbConnection.builder().build()
    with pytest.raises(ValueError, match=r"with_database_name\(\) is missing"):
        DbConnection.builder().with_uri("localhost:3000").build()
