"""pgAdmin 4 in a headless browser, both in the container of the clients."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.clients.served import Matrix
from tests.kit.container import PASSWORD, ROOT
from tests.long.clients.box import DRIVER_PORT, PGADMIN_PORT, Box, address

PERSON, SECRET = "someone@example.com", "rvbbit1"
PROGRAM, PID = "/opt/pgadmin/pgadmin4", "/tmp/pgadmin.pid"
SERVER = "sessions"
PICTURES = ROOT / "build" / "clients"
SLOW = 120
PATIENCE = 5

# Drawn anew since it was found, or behind something that will go away, such as a dialog.
NOT_YET = (StaleElementReferenceException, ElementClickInterceptedException)


@dataclass(frozen=True)
class Page:
    """A browser with pgAdmin on it."""

    driver: Any

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """What the condition gives as soon as it is true; else an error and a picture."""

        def holds(_: object) -> Any:
            with suppress(*NOT_YET):
                return condition()

        try:
            return WebDriverWait(self.driver, SLOW).until(holds, what)
        except WebDriverException:
            self.picture("failed")
            raise

    def find(self, selector: str, what: str = "") -> Any:
        """The first visible element of a CSS selector."""
        return self.wait(lambda: next(iter(self.visible(selector)), None), what or selector)

    def visible(self, selector: str) -> list[Any]:
        """All elements of a CSS selector that can be seen."""
        return [item for item in self.driver.find_elements(By.CSS_SELECTOR, selector) if item.is_displayed()]

    def press(self, selector: str) -> None:
        """Click on an element, which may be drawn anew meanwhile."""

        def pressed() -> bool:
            found = [item for item in self.visible(selector) if item.is_enabled()]
            if found:
                found[0].click()
            return bool(found)

        self.wait(pressed, selector)

    def nodes(self) -> list[str]:
        """The tree's nodes that are on the screen, top down."""
        return [item.text for item in self.visible(".file-entry .file-name")]

    def _named(self, name: str) -> Any:
        """The node of the tree with this name, if it is on the screen."""
        return next((item for item in self.visible(".file-entry") if name_of(item) == name), None)

    def node(self, name: str) -> str:
        """The text of the node of the tree with this name."""
        return str(self.wait(lambda: (found := self._named(name)) and found.text, f"node {name}"))

    def select(self, name: str) -> None:
        """Click on a node of the tree; the tree may be drawn anew meanwhile, then once more."""

        def clicked() -> bool:
            found = self._named(name)
            if found:
                found.find_element(By.CLASS_NAME, "file-name").click()
            return found is not None

        self.wait(clicked, f"node {name}")

    def open(self, name: str) -> None:
        """Expand a node of the tree; pgAdmin itself expands one that has no siblings, perhaps meanwhile."""
        again = 0.0

        def opened() -> bool:
            nonlocal again
            found = self._named(name)
            if found is None:
                return False
            toggle = found.find_element(By.CLASS_NAME, "directory-toggle")
            if "open" in str(toggle.get_attribute("class")):
                return True
            if time.monotonic() > again:
                self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", toggle)
                toggle.click()
                again = time.monotonic() + PATIENCE
            return False

        self.wait(opened, f"node {name}")

    def log_in(self) -> None:
        """As a person would."""
        self.driver.get(f"http://127.0.0.1:{PGADMIN_PORT}/")
        self.find("input[name=email]").send_keys(PERSON)
        self.find("input[name=password]").send_keys(SECRET + Keys.ENTER)
        self.open("Servers")
        # The only server of its group, which pgAdmin opens by itself.
        self.find("input[type=password]", "the server's password").send_keys(PASSWORD + Keys.ENTER)
        self.open(SERVER)
        self.open("Databases")

    def picture(self, name: str) -> Path:
        """What is on the screen, as a file."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path


def name_of(item: Any) -> str:
    """The name of a node."""
    return str(item.find_element(By.CLASS_NAME, "file-name").text)


def start_pgadmin(box: Box, matrix: Matrix) -> None:
    """pgAdmin with a login and one server, of which it does not know the password."""
    known = {"Name": SERVER, "Group": "Servers", "Host": address(matrix), "Port": 5432, "SSLMode": "prefer"}
    servers = json.dumps({"Servers": {"1": {**known, "MaintenanceDB": "rvbbit", "Username": "rvbbit"}}})
    steps = [
        "mkdir -p /etc/pgadmin /tmp/pgadmin",
        "cp /clients/pgadmin.py /etc/pgadmin/config_system.py",
        f"echo {shlex.quote(servers)} > /tmp/servers.json",
        f"cd {PROGRAM}",
        "python3 setup.py setup-db",
        f"python3 setup.py load-servers /tmp/servers.json --user {PERSON}",
    ]
    environment = {
        "PYTHONPATH": "/opt/pgadmin",
        "PGADMIN_SETUP_EMAIL": PERSON,
        "PGADMIN_SETUP_PASSWORD": SECRET,
    }
    box.run("sh", "-ec", "\n".join(steps), **environment)
    start = f"cd {PROGRAM} && echo $$ > {PID} && exec python3 pgAdmin4.py > /tmp/pgadmin.out 2>&1"
    box.start("sh", "-c", start, **environment)


def forget_pgadmin(box: Box) -> None:
    """End it, with all that it remembers: the next one is for another server."""
    wait = f'while kill -0 "$(cat {PID})" 2> /dev/null; do sleep 0.1; done'
    box.run("timeout", str(SLOW), "sh", "-c", f'kill "$(cat {PID})"; {wait}; rm -rf /tmp/pgadmin')


@contextmanager
def browsing(box: Box, matrix: Matrix) -> Iterator[Page]:
    """A person before pgAdmin, logged in and connected."""
    start_pgadmin(box, matrix)
    box.start("chromedriver", f"--port={DRIVER_PORT}", "--allowed-ips=", "--allowed-origins=*")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1600,1200"):
        options.add_argument(argument)
    port = box.container.get_exposed_port(DRIVER_PORT)
    wait_for_ports(box)
    driver = webdriver.Remote(f"http://{box.container.get_container_host_ip()}:{port}", options=options)
    try:
        page = Page(driver)
        page.log_in()
        yield page
    finally:
        driver.quit()
        forget_pgadmin(box)


def wait_for_ports(box: Box) -> None:
    """Until pgAdmin and the browser's driver listen."""
    listens = "import socket, sys, time\nfor port in sys.argv[1:]:\n"
    listens += "    while socket.socket().connect_ex(('127.0.0.1', int(port))): time.sleep(0.2)"
    box.run("timeout", str(SLOW), "python3", "-c", listens, str(PGADMIN_PORT), str(DRIVER_PORT))
