SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.activity (
    day integer NOT NULL,
    seconds double precision NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.arms (
    kind character varying(16) NOT NULL,
    name character varying(64) NOT NULL,
    trials double precision NOT NULL,
    successes double precision NOT NULL,
    cost double precision NOT NULL
);
CREATE TABLE public.artifacts (
    job_id character varying(36) NOT NULL,
    attempt integer NOT NULL,
    name character varying(128) NOT NULL,
    media_type character varying(128) NOT NULL,
    content bytea NOT NULL,
    created_at double precision NOT NULL
);
CREATE TABLE public.calls (
    id character varying(36) NOT NULL,
    job_id character varying(36) NOT NULL,
    attempt integer NOT NULL,
    agent character varying(64) NOT NULL,
    opened_at double precision NOT NULL,
    closed_at double precision,
    seconds double precision,
    input_tokens bigint,
    output_tokens bigint,
    cached_tokens bigint,
    dollars double precision,
    expected_dollars double precision,
    expected_tokens double precision,
    reserved_dollars double precision,
    reserved_tokens double precision
);
CREATE TABLE public.challenges (
    island integer NOT NULL,
    cell integer NOT NULL,
    commit character varying(64) NOT NULL,
    measures json NOT NULL,
    created_at double precision NOT NULL
);
CREATE TABLE public.commits (
    commit character varying(64) NOT NULL,
    tree character varying(64) NOT NULL,
    parent character varying(64),
    job_id character varying(36) NOT NULL,
    branch character varying(255),
    subject text NOT NULL,
    traits json NOT NULL,
    vector bytea,
    island integer,
    score double precision,
    error double precision,
    edit_distance integer NOT NULL,
    code_size integer NOT NULL,
    created_at double precision NOT NULL
);
CREATE TABLE public.elites (
    island integer NOT NULL,
    cell integer NOT NULL,
    "position" integer NOT NULL,
    commit character varying(64) NOT NULL,
    score double precision NOT NULL,
    error double precision NOT NULL,
    curiosity double precision NOT NULL,
    measures json NOT NULL,
    improvements integer NOT NULL,
    updated_at double precision NOT NULL
);
CREATE TABLE public.embeddings (
    model character varying(255) NOT NULL,
    blob character varying(64) NOT NULL,
    length integer NOT NULL,
    vector bytea NOT NULL
);
CREATE TABLE public.evaluations (
    commit character varying(64) NOT NULL,
    summary text NOT NULL,
    seconds double precision NOT NULL
);
CREATE TABLE public.experiment (
    id integer NOT NULL,
    root_commit character varying(64) NOT NULL,
    search json NOT NULL,
    projection json,
    ended_jobs integer DEFAULT 0 NOT NULL,
    judged_commits integer DEFAULT 0 NOT NULL,
    migrations integer DEFAULT 0 NOT NULL,
    created_at double precision NOT NULL,
    budget json,
    budget_reached json,
    CONSTRAINT ck_experiment_single CHECK ((id = 1))
);
CREATE SEQUENCE public.experiment_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.experiment_id_seq OWNED BY public.experiment.id;
CREATE TABLE public.jobs (
    id character varying(36) NOT NULL,
    ordinal integer NOT NULL,
    kind character varying(16) NOT NULL,
    state character varying(16) NOT NULL,
    island integer NOT NULL,
    seed bigint NOT NULL,
    base_commit character varying(64) NOT NULL,
    inspirations json NOT NULL,
    agent character varying(64),
    operator character varying(64),
    attempt integer DEFAULT 0 NOT NULL,
    lost_leases integer DEFAULT 0 NOT NULL,
    token character varying(36),
    worker character varying(255),
    lease_until double precision,
    created_at double precision NOT NULL,
    dispatched_at double precision,
    claimed_at double precision,
    finished_at double precision,
    commit character varying(64),
    failure_kind character varying(16),
    failure text,
    ingested_at double precision,
    archive_outcome character varying(16),
    agent_seconds double precision,
    subject text,
    tree character varying(64)
);
CREATE TABLE public.metrics (
    commit character varying(64) NOT NULL,
    name character varying(128) NOT NULL,
    "position" integer NOT NULL,
    value double precision NOT NULL,
    samples json NOT NULL,
    unit character varying(128),
    higher_is_better boolean NOT NULL
);
CREATE TABLE public.notes (
    id integer NOT NULL,
    text text NOT NULL,
    created_at double precision NOT NULL,
    withdrawn_at double precision
);
CREATE SEQUENCE public.notes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.notes_id_seq OWNED BY public.notes.id;
ALTER TABLE ONLY public.experiment ALTER COLUMN id SET DEFAULT nextval('public.experiment_id_seq'::regclass);
ALTER TABLE ONLY public.notes ALTER COLUMN id SET DEFAULT nextval('public.notes_id_seq'::regclass);
INSERT INTO public.activity VALUES (20783, 5.0689272359998085);
INSERT INTO public.alembic_version VALUES ('0005');
INSERT INTO public.arms VALUES ('operator', 'replace-number', 1, 0, 0.30068516731262207);
INSERT INTO public.arms VALUES ('operator', 'jitter-numbers', 1.98, 0.98, 0.9257945680618286);
INSERT INTO public.arms VALUES ('agent', 'genetic', 9.146359655622655, 3.695875819381785, 3.3936327466395166);
INSERT INTO public.arms VALUES ('operator', 'shake-numbers', 6.593723337664, 2.8451127967999996, 2.3331663483262535);
INSERT INTO public.artifacts VALUES ('8d4c30e5-b318-4869-b639-ba13b99a9123', 1, 'evaluation.log', 'text/plain', '\x', 1795656710.216568);
INSERT INTO public.artifacts VALUES ('ab89e5a1-4519-4031-b747-cd1b76f02307', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e35663733363134203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d202d302e310a', 1795656710.861011);
INSERT INTO public.artifacts VALUES ('ab89e5a1-4519-4031-b747-cd1b76f02307', 1, 'evaluation.log', 'text/plain', '\x', 1795656710.863558);
INSERT INTO public.artifacts VALUES ('de704a0c-0869-4775-b6bb-26b1e7b39c8f', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e35646339376231203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d20322e360a', 1795656711.291999);
INSERT INTO public.artifacts VALUES ('de704a0c-0869-4775-b6bb-26b1e7b39c8f', 1, 'evaluation.log', 'text/plain', '\x', 1795656711.292559);
INSERT INTO public.artifacts VALUES ('d1c125db-b0b4-4b91-a856-e54e583385e1', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e33333931373331203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d20302e32350a', 1795656711.641089);
INSERT INTO public.artifacts VALUES ('d1c125db-b0b4-4b91-a856-e54e583385e1', 1, 'evaluation.log', 'text/plain', '\x', 1795656711.641678);
INSERT INTO public.artifacts VALUES ('be47d49b-3ed3-4b89-9e1a-ae1f3b8dee32', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e36306630613861203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d20302e36350a', 1795656712.111618);
INSERT INTO public.artifacts VALUES ('be47d49b-3ed3-4b89-9e1a-ae1f3b8dee32', 1, 'evaluation.log', 'text/plain', '\x', 1795656712.119134);
INSERT INTO public.artifacts VALUES ('5efa074f-1869-4e6d-9cdd-428200aa3bf7', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e34353532366462203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d20312e303037350a', 1795656712.625354);
INSERT INTO public.artifacts VALUES ('5efa074f-1869-4e6d-9cdd-428200aa3bf7', 1, 'evaluation.log', 'text/plain', '\x', 1795656712.627565);
INSERT INTO public.artifacts VALUES ('6c3667dc-fcdc-4e01-81be-e50e8f81dd3c', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e66636332333731203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d20312e3034360a', 1795656713.220487);
INSERT INTO public.artifacts VALUES ('6c3667dc-fcdc-4e01-81be-e50e8f81dd3c', 1, 'evaluation.log', 'text/plain', '\x', 1795656713.221484);
INSERT INTO public.artifacts VALUES ('65b55705-8b22-4a5d-b149-092cb3ea1700', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e33316564626666203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d20312e34350a', 1795656713.693737);
INSERT INTO public.artifacts VALUES ('65b55705-8b22-4a5d-b149-092cb3ea1700', 1, 'evaluation.log', 'text/plain', '\x', 1795656713.694617);
INSERT INTO public.artifacts VALUES ('f270d827-ddb6-4507-b3f2-f4e2f816d10b', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e39623234333731203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d202d302e330a', 1795656714.129524);
INSERT INTO public.artifacts VALUES ('f270d827-ddb6-4507-b3f2-f4e2f816d10b', 1, 'evaluation.log', 'text/plain', '\x', 1795656714.130283);
INSERT INTO public.artifacts VALUES ('398df484-3d05-4fa8-a585-37402c324975', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820393361623965302e2e35646339376231203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20312e300a2b4e554d424552203d20322e360a', 1795656714.398571);
INSERT INTO public.artifacts VALUES ('65ae058e-67b2-42ab-b86f-7d9194f7e058', 1, 'patch.diff', 'text/x-diff', '\x64696666202d2d67697420612f6e756d6265722e707920622f6e756d6265722e70790a696e64657820356463393762312e2e62386338633832203130303634340a2d2d2d20612f6e756d6265722e70790a2b2b2b20622f6e756d6265722e70790a4040202d31202b312040400a2d4e554d424552203d20322e360a2b4e554d424552203d20392e340a', 1795656714.814165);
INSERT INTO public.artifacts VALUES ('65ae058e-67b2-42ab-b86f-7d9194f7e058', 1, 'evaluation.log', 'text/plain', '\x', 1795656714.814688);
INSERT INTO public.commits VALUES ('fb5d0c15ce461d9f4b17196b97e582913bee6931', '036b817fa2efc3884f37c8910910c16cd99f20eb', NULL, '8d4c30e5-b318-4869-b639-ba13b99a9123', NULL, 'the root commit', '{}', NULL, 0, -99, 0, 0, 13, 1795656710.205974);
INSERT INTO public.commits VALUES ('2a15d85050084e5652541b937dfb6f4b91f3d727', '9f5810e61cb03f5b8c1001ae288a13e4e4ea39b2', 'fb5d0c15ce461d9f4b17196b97e582913bee6931', 'ab89e5a1-4519-4031-b747-cd1b76f02307', 'evolution/job/ab89e5a1-4519-4031-b747-cd1b76f02307-1', 'shift 1.0 to -0.1 in number.py:1', '{}', NULL, 0, -100.1, 0, 2, 14, 1795656710.856468);
INSERT INTO public.commits VALUES ('09d67c4a3201ec31069b1564acead462f5f2f741', 'e79342764e25094a86a40a89e18fe55952558d6a', 'fb5d0c15ce461d9f4b17196b97e582913bee6931', 'de704a0c-0869-4775-b6bb-26b1e7b39c8f', 'evolution/job/de704a0c-0869-4775-b6bb-26b1e7b39c8f-1', 'shift 1.0 to 2.6 in number.py:1', '{}', NULL, 1, -97.4, 0, 2, 13, 1795656711.288044);
INSERT INTO public.commits VALUES ('0ebe1566857409ab4e75174e75b7a9a75105df7d', '6d239121c2cb7992926ae389f1306879a1031e6f', 'fb5d0c15ce461d9f4b17196b97e582913bee6931', 'd1c125db-b0b4-4b91-a856-e54e583385e1', 'evolution/job/d1c125db-b0b4-4b91-a856-e54e583385e1-1', 'replace 1.0 to 0.25 in number.py:1', '{}', NULL, 0, -99.75, 0, 2, 14, 1795656711.639109);
INSERT INTO public.commits VALUES ('3724c7dc14d9a30f2f2cfa6f3961c28c48922f6c', 'ba6a4fab9458463b64f46ebef9eb63403207e737', 'fb5d0c15ce461d9f4b17196b97e582913bee6931', 'be47d49b-3ed3-4b89-9e1a-ae1f3b8dee32', 'evolution/job/be47d49b-3ed3-4b89-9e1a-ae1f3b8dee32-1', 'shift 1.0 to 0.65 in number.py:1', '{}', NULL, 1, -99.35, 0, 2, 14, 1795656712.105877);
INSERT INTO public.commits VALUES ('9f36e52d7b69a525b6459c297bb4f56f5abf5dbe', '37fc9e0a0754e38a8081255ac7104321587f60a2', 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '5efa074f-1869-4e6d-9cdd-428200aa3bf7', 'evolution/job/5efa074f-1869-4e6d-9cdd-428200aa3bf7-1', 'shift 1.0 to 1.0075 in number.py:1', '{}', NULL, 0, -98.9925, 0, 2, 16, 1795656712.620623);
INSERT INTO public.commits VALUES ('431ea96afc8af110afcf0aee7ec91ac99ecca869', 'cc0cd93100181bd97f70f1042e66070b9a87c827', 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '6c3667dc-fcdc-4e01-81be-e50e8f81dd3c', 'evolution/job/6c3667dc-fcdc-4e01-81be-e50e8f81dd3c-1', 'shift 1.0 to 1.046 in number.py:1', '{}', NULL, 1, -98.954, 0, 2, 15, 1795656713.212449);
INSERT INTO public.commits VALUES ('dd9bd6225af8debf8543f620a9bee115462f1c1c', '02e7fd3b3a04b82c9e4aba1499f362feeee3f2fc', 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '65b55705-8b22-4a5d-b149-092cb3ea1700', 'evolution/job/65b55705-8b22-4a5d-b149-092cb3ea1700-1', 'shift 1.0 to 1.45 in number.py:1', '{}', NULL, 0, -98.55, 0, 2, 14, 1795656713.683846);
INSERT INTO public.commits VALUES ('4b3c2a90e07cb9f16fbad0df1e3aedc297fee8fd', 'fcb337d5f7839a2ce5528e7fae5f20220416445a', 'fb5d0c15ce461d9f4b17196b97e582913bee6931', 'f270d827-ddb6-4507-b3f2-f4e2f816d10b', 'evolution/job/f270d827-ddb6-4507-b3f2-f4e2f816d10b-1', 'shift 1.0 to -0.3 in number.py:1', '{}', NULL, 1, -100.3, 0, 2, 14, 1795656714.101982);
INSERT INTO public.commits VALUES ('d9a23609dd337888f646b0a4e78c8d1c41f42ae8', '7b652c9d78c843cf46270cbdb94ad85db77fefac', '09d67c4a3201ec31069b1564acead462f5f2f741', '65ae058e-67b2-42ab-b86f-7d9194f7e058', 'evolution/job/65ae058e-67b2-42ab-b86f-7d9194f7e058-1', 'shift 2.6 to 9.4 in number.py:1', '{}', NULL, 1, -90.6, 0, 2, 13, 1795656714.812284);
INSERT INTO public.elites VALUES (0, 24, 1, '2a15d85050084e5652541b937dfb6f4b91f3d727', -100.1, 0, 0, '[-0.1]', 0, 1795656710.969413);
INSERT INTO public.elites VALUES (1, 25, 0, 'd9a23609dd337888f646b0a4e78c8d1c41f42ae8', -90.6, 0, 0, '[9.4]', 2, 1795656714.841083);
INSERT INTO public.elites VALUES (1, 24, 1, '2a15d85050084e5652541b937dfb6f4b91f3d727', -100.1, 0, 0, '[-0.1]', 1, 1795656714.858617);
INSERT INTO public.elites VALUES (0, 25, 0, 'd9a23609dd337888f646b0a4e78c8d1c41f42ae8', -90.6, 0, 0, '[9.4]', 3, 1795656714.864285);
INSERT INTO public.evaluations VALUES ('fb5d0c15ce461d9f4b17196b97e582913bee6931', 'the number is 1.0', 0.13934666299996934);
INSERT INTO public.evaluations VALUES ('2a15d85050084e5652541b937dfb6f4b91f3d727', 'the number is -0.1', 0.14669834899996204);
INSERT INTO public.evaluations VALUES ('09d67c4a3201ec31069b1564acead462f5f2f741', 'the number is 2.6', 0.16314175299999079);
INSERT INTO public.evaluations VALUES ('0ebe1566857409ab4e75174e75b7a9a75105df7d', 'the number is 0.25', 0.09426532300017243);
INSERT INTO public.evaluations VALUES ('3724c7dc14d9a30f2f2cfa6f3961c28c48922f6c', 'the number is 0.65', 0.18798381500005235);
INSERT INTO public.evaluations VALUES ('9f36e52d7b69a525b6459c297bb4f56f5abf5dbe', 'the number is 1.0075', 0.14579215799994927);
INSERT INTO public.evaluations VALUES ('431ea96afc8af110afcf0aee7ec91ac99ecca869', 'the number is 1.046', 0.17251184199994896);
INSERT INTO public.evaluations VALUES ('dd9bd6225af8debf8543f620a9bee115462f1c1c', 'the number is 1.45', 0.13186503600013566);
INSERT INTO public.evaluations VALUES ('4b3c2a90e07cb9f16fbad0df1e3aedc297fee8fd', 'the number is -0.3', 0.12211447699996825);
INSERT INTO public.evaluations VALUES ('d9a23609dd337888f646b0a4e78c8d1c41f42ae8', 'the number is 9.4', 0.09024668899996868);
INSERT INTO public.experiment VALUES (1, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '{"mapelites_fitness_metric": "score", "mapelites_fitness_higher_is_better": true, "mapelites_fitness_weights": [], "mapelites_constraints": [], "mapelites_measures": ["number:-1000:1000:50"], "mapelites_islands": 2}', NULL, 10, 10, 1, 1795656709.637037, '{"limits": {}, "set_at": 1795656709.639944}', 'null');
INSERT INTO public.jobs VALUES ('8d4c30e5-b318-4869-b639-ba13b99a9123', -1, 'baseline', 'succeeded', 0, 0, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', NULL, NULL, 1, 0, NULL, 'host:1603', NULL, 1795656709.771426, 1795656709.832587, 1795656709.946099, 1795656710.203886, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', NULL, NULL, 1795656710.341791, 'new', NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('ab89e5a1-4519-4031-b747-cd1b76f02307', 0, 'evolution', 'succeeded', 0, 48539274569083416, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', 'genetic', 'shake-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656710.387249, 1795656710.432864, 1795656710.455565, 1795656710.855511, '2a15d85050084e5652541b937dfb6f4b91f3d727', NULL, NULL, 1795656710.964399, 'new', 0.023039351000079478, 'shift 1.0 to -0.1 in number.py:1', '9f5810e61cb03f5b8c1001ae288a13e4e4ea39b2');
INSERT INTO public.jobs VALUES ('6c3667dc-fcdc-4e01-81be-e50e8f81dd3c', 5, 'evolution', 'succeeded', 1, 57434122257545361, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', 'genetic', 'jitter-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656710.408477, 1795656710.432911, 1795656712.715707, 1795656713.207892, '431ea96afc8af110afcf0aee7ec91ac99ecca869', NULL, NULL, 1795656713.251745, 'rejected', 0.017942316000016945, 'shift 1.0 to 1.046 in number.py:1', 'cc0cd93100181bd97f70f1042e66070b9a87c827');
INSERT INTO public.jobs VALUES ('65b55705-8b22-4a5d-b149-092cb3ea1700', 6, 'evolution', 'succeeded', 0, 47175941429985217, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', 'genetic', 'shake-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656710.4106, 1795656710.432914, 1795656713.251308, 1795656713.680189, 'dd9bd6225af8debf8543f620a9bee115462f1c1c', NULL, NULL, 1795656713.792487, 'improved', 0.023612231000015527, 'shift 1.0 to 1.45 in number.py:1', '02e7fd3b3a04b82c9e4aba1499f362feeee3f2fc');
INSERT INTO public.jobs VALUES ('de704a0c-0869-4775-b6bb-26b1e7b39c8f', 1, 'evolution', 'succeeded', 1, 67293750163409824, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', 'genetic', 'shake-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656710.39543, 1795656710.432895, 1795656710.922171, 1795656711.287081, '09d67c4a3201ec31069b1564acead462f5f2f741', NULL, NULL, 1795656711.323972, 'improved', 0.010654909000095358, 'shift 1.0 to 2.6 in number.py:1', 'e79342764e25094a86a40a89e18fe55952558d6a');
INSERT INTO public.jobs VALUES ('28b45d4d-8fb5-49aa-b5d4-f201cab62104', 16, 'evolution', 'queued', 0, 55596634910548059, 'dd9bd6225af8debf8543f620a9bee115462f1c1c', '["2a15d85050084e5652541b937dfb6f4b91f3d727"]', NULL, 'merge-lines', 0, 0, NULL, NULL, NULL, 1795656714.545486, 1795656714.583212, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('d1c125db-b0b4-4b91-a856-e54e583385e1', 2, 'evolution', 'succeeded', 0, 41421531588774648, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', 'genetic', 'replace-number', 1, 0, NULL, 'host:1603', NULL, 1795656710.397807, 1795656710.432901, 1795656711.333557, 1795656711.634242, '0ebe1566857409ab4e75174e75b7a9a75105df7d', NULL, NULL, 1795656711.66888, 'rejected', 0.011099920000106067, 'replace 1.0 to 0.25 in number.py:1', '6d239121c2cb7992926ae389f1306879a1031e6f');
INSERT INTO public.jobs VALUES ('be47d49b-3ed3-4b89-9e1a-ae1f3b8dee32', 3, 'evolution', 'succeeded', 1, 33446881438666622, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', 'genetic', 'shake-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656710.400016, 1795656710.432905, 1795656711.714747, 1795656712.105065, '3724c7dc14d9a30f2f2cfa6f3961c28c48922f6c', NULL, NULL, 1795656712.13589, 'rejected', 0.011338450000039302, 'shift 1.0 to 0.65 in number.py:1', 'ba6a4fab9458463b64f46ebef9eb63403207e737');
INSERT INTO public.jobs VALUES ('90f512a0-8d47-457d-86ad-453866d901e2', 11, 'evolution', 'queued', 1, 59169014984562653, '09d67c4a3201ec31069b1564acead462f5f2f741', '[]', NULL, 'shake-numbers', 0, 0, NULL, NULL, NULL, 1795656712.245214, 1795656712.277449, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('5efa074f-1869-4e6d-9cdd-428200aa3bf7', 4, 'evolution', 'succeeded', 0, 20530337893424427, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', 'genetic', 'jitter-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656710.403906, 1795656710.432908, 1795656712.177005, 1795656712.619464, '9f36e52d7b69a525b6459c297bb4f56f5abf5dbe', NULL, NULL, 1795656712.695855, 'improved', 0.02567204199999651, 'shift 1.0 to 1.0075 in number.py:1', '37fc9e0a0754e38a8081255ac7104321587f60a2');
INSERT INTO public.jobs VALUES ('3990a73f-7cbd-4c0b-971e-0ad628ce0f5a', 12, 'evolution', 'queued', 0, 45175012397189718, '9f36e52d7b69a525b6459c297bb4f56f5abf5dbe', '["2a15d85050084e5652541b937dfb6f4b91f3d727"]', NULL, 'recombine-lines', 0, 0, NULL, NULL, NULL, 1795656712.767316, 1795656712.796136, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('66a4b5cd-3b2e-4453-b140-e5fd2313309e', 13, 'evolution', 'queued', 1, 60890076127079852, '09d67c4a3201ec31069b1564acead462f5f2f741', '[]', NULL, 'shake-numbers', 0, 0, NULL, NULL, NULL, 1795656713.35429, 1795656713.393425, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('a5e68c1b-2e2e-4007-a1a8-55376cea717c', 14, 'evolution', 'queued', 0, 32400017094065159, 'dd9bd6225af8debf8543f620a9bee115462f1c1c', '["2a15d85050084e5652541b937dfb6f4b91f3d727"]', NULL, 'replace-number', 0, 0, NULL, NULL, NULL, 1795656713.845773, 1795656713.859335, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('f270d827-ddb6-4507-b3f2-f4e2f816d10b', 7, 'evolution', 'succeeded', 1, 12366825678159932, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '[]', 'genetic', 'shake-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656710.418471, 1795656710.432917, 1795656713.718046, 1795656714.099761, '4b3c2a90e07cb9f16fbad0df1e3aedc297fee8fd', NULL, NULL, 1795656714.287283, 'new', 0.0064262959999723535, 'shift 1.0 to -0.3 in number.py:1', 'fcb337d5f7839a2ce5528e7fae5f20220416445a');
INSERT INTO public.jobs VALUES ('91173c92-1cc3-4c6c-bdc7-db9d2894d8fd', 15, 'evolution', 'queued', 1, 1144728126379507, '4b3c2a90e07cb9f16fbad0df1e3aedc297fee8fd', '["09d67c4a3201ec31069b1564acead462f5f2f741"]', NULL, 'differ-numbers', 0, 0, NULL, NULL, NULL, 1795656714.320076, 1795656714.351486, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('398df484-3d05-4fa8-a585-37402c324975', 8, 'evolution', 'rejected', 0, 41040449389899551, 'fb5d0c15ce461d9f4b17196b97e582913bee6931', '["2a15d85050084e5652541b937dfb6f4b91f3d727"]', 'genetic', 'shake-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656711.039302, 1795656711.068982, 1795656714.19522, 1795656714.397564, NULL, NULL, 'the same tree was judged before: 09d67c4a3201ec31069b1564acead462f5f2f741', 1795656714.486085, 'rejected', 0.019984657999884803, 'shift 1.0 to 2.6 in number.py:1', NULL);
INSERT INTO public.jobs VALUES ('65ae058e-67b2-42ab-b86f-7d9194f7e058', 9, 'evolution', 'succeeded', 1, 22554774920476826, '09d67c4a3201ec31069b1564acead462f5f2f741', '[]', 'genetic', 'shake-numbers', 1, 0, NULL, 'host:1603', NULL, 1795656711.380874, 1795656711.411289, 1795656714.490864, 1795656714.811319, 'd9a23609dd337888f646b0a4e78c8d1c41f42ae8', NULL, NULL, 1795656714.837489, 'improved', 0.021670179000011558, 'shift 2.6 to 9.4 in number.py:1', '7b652c9d78c843cf46270cbdb94ad85db77fefac');
INSERT INTO public.jobs VALUES ('7cd94cae-5844-4d24-893b-4a1c96d1ea3f', 17, 'evolution', 'queued', 1, 30783865791338912, 'd9a23609dd337888f646b0a4e78c8d1c41f42ae8', '["2a15d85050084e5652541b937dfb6f4b91f3d727"]', NULL, 'shake-numbers', 0, 0, NULL, NULL, NULL, 1795656714.882909, 1795656714.901234, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('d0b2fd6d-d399-4785-83e1-f42ed01fb9f4', 10, 'evolution', 'running', 0, 30053135664963030, '2a15d85050084e5652541b937dfb6f4b91f3d727', '["fb5d0c15ce461d9f4b17196b97e582913bee6931"]', NULL, 'shake-numbers', 1, 0, '66f55ff7-ab50-4089-8f50-26b7e54c1c60', 'host:1603', 1795656744.847664, 1795656711.699922, 1795656711.721218, 1795656714.847668, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '80395fa1dfb5432d132a88ff1980731a56ac5ccb');
INSERT INTO public.metrics VALUES ('fb5d0c15ce461d9f4b17196b97e582913bee6931', 'score', 0, -99, '[-99.0]', NULL, true);
INSERT INTO public.metrics VALUES ('fb5d0c15ce461d9f4b17196b97e582913bee6931', 'number', 1, 1, '[1.0]', NULL, true);
INSERT INTO public.metrics VALUES ('2a15d85050084e5652541b937dfb6f4b91f3d727', 'score', 0, -100.1, '[-100.1]', NULL, true);
INSERT INTO public.metrics VALUES ('2a15d85050084e5652541b937dfb6f4b91f3d727', 'number', 1, -0.1, '[-0.1]', NULL, true);
INSERT INTO public.metrics VALUES ('09d67c4a3201ec31069b1564acead462f5f2f741', 'score', 0, -97.4, '[-97.4]', NULL, true);
INSERT INTO public.metrics VALUES ('09d67c4a3201ec31069b1564acead462f5f2f741', 'number', 1, 2.6, '[2.6]', NULL, true);
INSERT INTO public.metrics VALUES ('0ebe1566857409ab4e75174e75b7a9a75105df7d', 'score', 0, -99.75, '[-99.75]', NULL, true);
INSERT INTO public.metrics VALUES ('0ebe1566857409ab4e75174e75b7a9a75105df7d', 'number', 1, 0.25, '[0.25]', NULL, true);
INSERT INTO public.metrics VALUES ('3724c7dc14d9a30f2f2cfa6f3961c28c48922f6c', 'score', 0, -99.35, '[-99.35]', NULL, true);
INSERT INTO public.metrics VALUES ('3724c7dc14d9a30f2f2cfa6f3961c28c48922f6c', 'number', 1, 0.65, '[0.65]', NULL, true);
INSERT INTO public.metrics VALUES ('9f36e52d7b69a525b6459c297bb4f56f5abf5dbe', 'score', 0, -98.9925, '[-98.9925]', NULL, true);
INSERT INTO public.metrics VALUES ('9f36e52d7b69a525b6459c297bb4f56f5abf5dbe', 'number', 1, 1.0075, '[1.0075]', NULL, true);
INSERT INTO public.metrics VALUES ('431ea96afc8af110afcf0aee7ec91ac99ecca869', 'score', 0, -98.954, '[-98.954]', NULL, true);
INSERT INTO public.metrics VALUES ('431ea96afc8af110afcf0aee7ec91ac99ecca869', 'number', 1, 1.046, '[1.046]', NULL, true);
INSERT INTO public.metrics VALUES ('dd9bd6225af8debf8543f620a9bee115462f1c1c', 'score', 0, -98.55, '[-98.55]', NULL, true);
INSERT INTO public.metrics VALUES ('dd9bd6225af8debf8543f620a9bee115462f1c1c', 'number', 1, 1.45, '[1.45]', NULL, true);
INSERT INTO public.metrics VALUES ('4b3c2a90e07cb9f16fbad0df1e3aedc297fee8fd', 'score', 0, -100.3, '[-100.3]', NULL, true);
INSERT INTO public.metrics VALUES ('4b3c2a90e07cb9f16fbad0df1e3aedc297fee8fd', 'number', 1, -0.3, '[-0.3]', NULL, true);
INSERT INTO public.metrics VALUES ('d9a23609dd337888f646b0a4e78c8d1c41f42ae8', 'score', 0, -90.6, '[-90.6]', NULL, true);
INSERT INTO public.metrics VALUES ('d9a23609dd337888f646b0a4e78c8d1c41f42ae8', 'number', 1, 9.4, '[9.4]', NULL, true);
SELECT pg_catalog.setval('public.experiment_id_seq', 1, false);
SELECT pg_catalog.setval('public.notes_id_seq', 1, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.activity
    ADD CONSTRAINT pk_activity PRIMARY KEY (day);
ALTER TABLE ONLY public.arms
    ADD CONSTRAINT pk_arms PRIMARY KEY (kind, name);
ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT pk_artifacts PRIMARY KEY (job_id, attempt, name);
ALTER TABLE ONLY public.calls
    ADD CONSTRAINT pk_calls PRIMARY KEY (id);
ALTER TABLE ONLY public.challenges
    ADD CONSTRAINT pk_challenges PRIMARY KEY (island, cell, commit);
ALTER TABLE ONLY public.commits
    ADD CONSTRAINT pk_commits PRIMARY KEY (commit);
ALTER TABLE ONLY public.elites
    ADD CONSTRAINT pk_elites PRIMARY KEY (island, cell);
ALTER TABLE ONLY public.embeddings
    ADD CONSTRAINT pk_embeddings PRIMARY KEY (model, blob);
ALTER TABLE ONLY public.evaluations
    ADD CONSTRAINT pk_evaluations PRIMARY KEY (commit);
ALTER TABLE ONLY public.experiment
    ADD CONSTRAINT pk_experiment PRIMARY KEY (id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY public.metrics
    ADD CONSTRAINT pk_metrics PRIMARY KEY (commit, name);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT pk_notes PRIMARY KEY (id);
ALTER TABLE ONLY public.commits
    ADD CONSTRAINT uq_commits_tree UNIQUE (tree);
ALTER TABLE ONLY public.elites
    ADD CONSTRAINT uq_elites_island_position UNIQUE (island, "position");
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT uq_jobs_ordinal UNIQUE (ordinal);
CREATE INDEX ix_calls_agent_closed_at ON public.calls USING btree (agent, closed_at);
CREATE INDEX ix_calls_job_id ON public.calls USING btree (job_id);
CREATE INDEX ix_calls_opened_at ON public.calls USING btree (opened_at);
CREATE INDEX ix_challenges_commit ON public.challenges USING btree (commit);
CREATE INDEX ix_commits_job_id ON public.commits USING btree (job_id);
CREATE INDEX ix_commits_parent ON public.commits USING btree (parent);
CREATE INDEX ix_commits_score ON public.commits USING btree (score);
CREATE INDEX ix_elites_island_commit ON public.elites USING btree (island, commit);
CREATE INDEX ix_elites_island_score ON public.elites USING btree (island, score);
CREATE INDEX ix_jobs_ingested_at_state ON public.jobs USING btree (ingested_at, state);
CREATE INDEX ix_jobs_state_lease_until ON public.jobs USING btree (state, lease_until);
CREATE INDEX ix_jobs_state_ordinal ON public.jobs USING btree (state, ordinal);
CREATE INDEX ix_jobs_tree ON public.jobs USING btree (tree);
CREATE UNIQUE INDEX uq_jobs_tree_running ON public.jobs USING btree (tree) WHERE ((state)::text = 'running'::text);
ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT fk_artifacts_job_id FOREIGN KEY (job_id) REFERENCES public.jobs(id);
ALTER TABLE ONLY public.calls
    ADD CONSTRAINT fk_calls_job_id FOREIGN KEY (job_id) REFERENCES public.jobs(id);
ALTER TABLE ONLY public.challenges
    ADD CONSTRAINT fk_challenges_commit FOREIGN KEY (commit) REFERENCES public.commits(commit);
ALTER TABLE ONLY public.commits
    ADD CONSTRAINT fk_commits_job_id FOREIGN KEY (job_id) REFERENCES public.jobs(id);
ALTER TABLE ONLY public.elites
    ADD CONSTRAINT fk_elites_commit FOREIGN KEY (commit) REFERENCES public.commits(commit);
ALTER TABLE ONLY public.evaluations
    ADD CONSTRAINT fk_evaluations_commit FOREIGN KEY (commit) REFERENCES public.commits(commit);
ALTER TABLE ONLY public.metrics
    ADD CONSTRAINT fk_metrics_commit FOREIGN KEY (commit) REFERENCES public.commits(commit);
