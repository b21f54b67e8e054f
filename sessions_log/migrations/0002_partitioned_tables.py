"""The partitioned tables, the owner's functions that make and drop their partitions, and the guards on evidence."""

from django.db import migrations

# Fixed-width columns first, widest alignment first: no padding. uuid has no alignment.
TABLES = """
CREATE TABLE sessions_log_sessionlog (
    seq bigint NOT NULL,
    "timestamp" timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    organization_id integer NOT NULL,
    service_id integer NOT NULL,
    hour integer NOT NULL,
    duration integer,
    outcome smallint NOT NULL,
    detectors smallint NOT NULL,
    policy smallint NOT NULL,
    sensitive boolean NOT NULL,
    id uuid NOT NULL,
    subject_id uuid NOT NULL,
    session_id uuid NOT NULL,
    target_id uuid,
    address_id uuid,
    action text COLLATE "C" NOT NULL,
    target_type text COLLATE "C",
    ai_model text COLLATE "C",
    findings jsonb,
    nonce bytea NOT NULL,
    identity bytea,
    PRIMARY KEY (organization_id, id)
) PARTITION BY RANGE (id);
-- Sealed bytes do not compress: trying costs time on every row.
ALTER TABLE sessions_log_sessionlog ALTER COLUMN identity SET STORAGE EXTERNAL;
ALTER TABLE sessions_log_sessionlog ALTER COLUMN nonce SET STORAGE PLAIN;
CREATE INDEX sessionlog_subject ON sessions_log_sessionlog (subject_id, hour);
CREATE INDEX sessionlog_session ON sessions_log_sessionlog (session_id, hour);
CREATE INDEX sessionlog_target ON sessions_log_sessionlog (target_id, hour) WHERE target_id IS NOT NULL;
CREATE INDEX sessionlog_address ON sessions_log_sessionlog (address_id, hour) WHERE address_id IS NOT NULL;
CREATE INDEX sessionlog_facet ON sessions_log_sessionlog
    (organization_id, service_id, action, outcome, sensitive, hour);

CREATE TABLE sessions_log_inbox (
    id uuid NOT NULL PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    serial bigint GENERATED ALWAYS AS IDENTITY,
    organization_id integer NOT NULL,
    service_id integer NOT NULL,
    shard smallint NOT NULL,
    lane smallint NOT NULL,
    kind smallint NOT NULL,
    records integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    entry_ids bytea NOT NULL,
    sealed bytea NOT NULL
) PARTITION BY RANGE (id);
ALTER TABLE sessions_log_inbox ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE sessions_log_inbox ALTER COLUMN entry_ids SET STORAGE EXTERNAL;
CREATE INDEX inbox_order ON sessions_log_inbox (shard, lane, xid, serial);

CREATE TABLE sessions_log_outcome (
    id uuid NOT NULL PRIMARY KEY,
    organization_id integer NOT NULL,
    batch bigint NOT NULL,
    recorded integer NOT NULL,
    duplicates integer NOT NULL,
    conflicts integer NOT NULL,
    quarantined integer NOT NULL
) PARTITION BY RANGE (id);
"""

TABLES_BACK = "DROP TABLE sessions_log_outcome, sessions_log_inbox, sessions_log_sessionlog"

# Evidence is only ever added. The triggers fire for everybody, replicas' sessions included; where a purge is
# due, the owner's purge function detaches a partition, it does not delete from one.
GUARDS = """
CREATE FUNCTION muniment_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of % are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION muniment_guard(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER evidence BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
                    FOR EACH STATEMENT EXECUTE FUNCTION public.muniment_refuse_change()', guarded);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER evidence', guarded);
END $$;

SELECT muniment_guard('sessions_log_sessionlog');
SELECT muniment_guard('sessions_log_leafbundle');
"""

GUARDS_BACK = """
DROP TRIGGER evidence ON sessions_log_leafbundle;
DROP TRIGGER evidence ON sessions_log_sessionlog;
DROP FUNCTION muniment_guard(regclass);
DROP FUNCTION muniment_refuse_change();
"""

# The lowest UUIDv7 of a moment: 48 bits of milliseconds, then zeros. A partition is built beside its parent
# and attached: that takes no lock which readers or writers would wait for.
PARTITIONS = """
CREATE FUNCTION muniment_lowest_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

CREATE FUNCTION muniment_make_partition(parent text, name text, lower_at timestamptz, upper_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('muniment.partitions', 0));
    IF to_regclass('public.' || quote_ident(name)) IS NOT NULL THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL EXCLUDING IDENTITY)', name, parent);
    IF parent = 'sessions_log_sessionlog' THEN
        PERFORM public.muniment_guard(format('public.%I', name)::regclass);
    END IF;
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', parent, name,
                   public.muniment_lowest_id(lower_at), public.muniment_lowest_id(upper_at));
END $$;

CREATE FUNCTION muniment_make_month(month date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '2s' AS $$
DECLARE start timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
BEGIN
    PERFORM public.muniment_make_partition('sessions_log_sessionlog',
        'sessionlog_' || to_char(start AT TIME ZONE 'UTC', 'YYYY_MM'), start,
        (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC');
END $$;

CREATE FUNCTION muniment_make_day(day date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '2s' AS $$
DECLARE start timestamptz := day::timestamp AT TIME ZONE 'UTC';
BEGIN
    PERFORM public.muniment_make_partition('sessions_log_inbox',
        'inbox_' || to_char(day, 'YYYY_MM_DD'), start, start + interval '1 day');
    PERFORM public.muniment_make_partition('sessions_log_outcome',
        'outcome_' || to_char(day, 'YYYY_MM_DD'), start, start + interval '1 day');
END $$;

-- A day of the inbox may go once every row of it has its outcome; its outcomes stay 30 days. Quarantined requests
-- are sealed under the day's key: the day stays for them, 30 days at most.
CREATE FUNCTION muniment_drop_inbox_day(day date) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '2s' AS $$
DECLARE
    name text := 'inbox_' || to_char(day, 'YYYY_MM_DD');
    unfinished boolean;
BEGIN
    IF day >= (now() AT TIME ZONE 'UTC')::date - 1 OR to_regclass('public.' || quote_ident(name)) IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I i WHERE NOT EXISTS
                    (SELECT FROM public.sessions_log_outcome o WHERE o.id = i.id))', name) INTO unfinished;
    IF unfinished THEN RETURN false; END IF;
    IF day > (now() AT TIME ZONE 'UTC')::date - 30 AND EXISTS (
        SELECT FROM public.sessions_log_quarantinedrequest q WHERE q.retried_at IS NULL
        AND q.id >= public.muniment_lowest_id(day::timestamp AT TIME ZONE 'UTC')
        AND q.id < public.muniment_lowest_id((day + 1)::timestamp AT TIME ZONE 'UTC')) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE public.%I', name);
    RETURN true;
END $$;

CREATE FUNCTION muniment_drop_outcome_day(day date) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '2s' AS $$
DECLARE name text := 'outcome_' || to_char(day, 'YYYY_MM_DD');
BEGIN
    IF day >= (now() AT TIME ZONE 'UTC')::date - 30 OR to_regclass('public.' || quote_ident(name)) IS NULL
       OR to_regclass('public.' || quote_ident('inbox_' || to_char(day, 'YYYY_MM_DD'))) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE public.%I', name);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION muniment_make_partition(text, text, timestamptz, timestamptz), muniment_guard(regclass),
    muniment_make_month(date), muniment_make_day(date), muniment_drop_inbox_day(date),
    muniment_drop_outcome_day(date) FROM PUBLIC;
"""

PARTITIONS_BACK = """
DROP FUNCTION muniment_drop_outcome_day(date), muniment_drop_inbox_day(date), muniment_make_day(date),
    muniment_make_month(date), muniment_make_partition(text, text, timestamptz, timestamptz),
    muniment_lowest_id(timestamptz);
"""

POSITIONS = "INSERT INTO sessions_log_recorderposition VALUES (0, 0, 0, '0', 0), (1, 0, 1, '0', 0)"


class Migration(migrations.Migration):
    """Tables, guards, partition functions, and the recorder's first positions (shard 0, both lanes)."""

    dependencies = [("sessions_log", "0001_initial")]

    operations = [
        migrations.RunSQL(TABLES, TABLES_BACK),
        migrations.RunSQL(GUARDS, GUARDS_BACK),
        migrations.RunSQL(PARTITIONS, PARTITIONS_BACK),
        migrations.RunSQL(POSITIONS, "DELETE FROM sessions_log_recorderposition"),
    ]
