"""pgAdmin 4 for one person: its settings, and the server that it knows."""

SERVER_MODE = True
MASTER_PASSWORD_REQUIRED = False
UPGRADE_CHECK_ENABLED = False
DEFAULT_SERVER = "0.0.0.0"
DEFAULT_SERVER_PORT = 5050
DATA_DIR = "/tmp/pgadmin"
LOG_FILE = "/tmp/pgadmin/pgadmin4.log"
