"""What a row of `trading_bots` keeps true by itself, whoever writes it: a repository, or a person with plain SQL.

- `id` equals `config.id`, `enabled` equals `config.enabled`; one written without the other brings the other along.
  Of the pair `enabled` the one that was changed wins, and the column when both were; a config without the key keeps
  what the column says. `id` and `uid` never change.
- `version` grows by one with each real change of config, enabled or desired_paused, and can be written in no other way.
- `config_versions` keeps every configuration, under the author in the session setting `steadyhand.author`.
- NOTIFY `trading_bots` says which row is new, gone, or of a new version.

Signs of life write none of the columns that these triggers name, so they fire none of them.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

_AGREE = """
CREATE FUNCTION trading_bots_agree() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    column_decides boolean;
BEGIN
    -- Anything else than an object is refused by a constraint, with a name that says so.
    IF NEW.config IS NULL OR jsonb_typeof(NEW.config) <> 'object' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.id := coalesce(NEW.id, NEW.config ->> 'id');
        column_decides := NEW.enabled IS NOT NULL;
    ELSE
        IF NEW.uid <> OLD.uid OR NEW.id <> OLD.id THEN
            RAISE EXCEPTION 'id and uid of a bot never change; bot % would become %', OLD.id, NEW.id
                USING ERRCODE = 'check_violation', HINT = 'Create another bot.';
        END IF;
        NEW.version := OLD.version;
        column_decides := NEW.enabled <> OLD.enabled;
    END IF;
    NEW.config := jsonb_build_object('id', NEW.id) || NEW.config;
    IF NEW.config -> 'id' <> to_jsonb(NEW.id) THEN
        RAISE EXCEPTION 'config.id must equal the id of the row, %; was %', NEW.id, NEW.config -> 'id'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.config ? 'enabled' AND NOT column_decides THEN
        IF jsonb_typeof(NEW.config -> 'enabled') <> 'boolean' THEN
            RAISE EXCEPTION 'config.enabled must be true or false; was %', NEW.config -> 'enabled'
                USING ERRCODE = 'check_violation';
        END IF;
        NEW.enabled := (NEW.config -> 'enabled')::boolean;
    END IF;
    NEW.enabled := coalesce(NEW.enabled, false);
    NEW.config := NEW.config || jsonb_build_object('enabled', NEW.enabled);
    IF TG_OP = 'UPDATE' AND (NEW.config, NEW.enabled, NEW.desired_paused)
        IS DISTINCT FROM (OLD.config, OLD.enabled, OLD.desired_paused) THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END $$
"""

_KEEP_VERSION = """
CREATE FUNCTION trading_bots_keep_config() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO config_versions (bot_id, bot_uid, version, config, author)
    VALUES (NEW.id, NEW.uid, NEW.version, NEW.config,
            coalesce(nullif(current_setting('steadyhand.author', true), ''), current_user));
    RETURN NULL;
END $$
"""

_NOTIFY = """
CREATE FUNCTION trading_bots_notify() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bot trading_bots := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM pg_notify('trading_bots',
                      json_build_object('id', bot.id, 'version', bot.version, 'op', lower(TG_OP))::text);
    RETURN NULL;
END $$
"""

_TRIGGERS = (
    """
    CREATE TRIGGER agree BEFORE INSERT OR UPDATE OF id, uid, config, enabled, desired_paused, version
        ON trading_bots FOR EACH ROW EXECUTE FUNCTION trading_bots_agree()
    """,
    """
    CREATE TRIGGER keep_first_config AFTER INSERT
        ON trading_bots FOR EACH ROW EXECUTE FUNCTION trading_bots_keep_config()
    """,
    """
    CREATE TRIGGER keep_config AFTER UPDATE OF config, enabled
        ON trading_bots FOR EACH ROW WHEN (OLD.config IS DISTINCT FROM NEW.config)
        EXECUTE FUNCTION trading_bots_keep_config()
    """,
    """
    CREATE TRIGGER notify_row AFTER INSERT OR DELETE
        ON trading_bots FOR EACH ROW EXECUTE FUNCTION trading_bots_notify()
    """,
    """
    CREATE TRIGGER notify_version AFTER UPDATE OF config, enabled, desired_paused
        ON trading_bots FOR EACH ROW WHEN (OLD.version <> NEW.version)
        EXECUTE FUNCTION trading_bots_notify()
    """,
)


def upgrade() -> None:
    """Create the functions and the triggers that call them."""
    for statement in (_AGREE, _KEEP_VERSION, _NOTIFY, *_TRIGGERS):
        op.get_bind().exec_driver_sql(statement)
