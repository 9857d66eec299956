// casl: an ability for every role, built once, closed along the role graph by the caller.
//
// A question asks the ability of each role that the principal is assigned. An ability for every
// question, the usual pattern, is some twenty times slower. Speaks the line protocol of
// bench/peers/python/line.py.

import { createMongoAbility } from "@casl/ability";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

let decide = () => false;
let questions = [];

function load(tables) {
  const own = new Map(Object.keys(tables.roles).map((role) => [role, []]));
  for (const [role, action, resource] of tables.grants) {
    own.get(role).push({ action, subject: resource });
  }
  const abilities = new Map();
  for (const role of own.keys()) {
    const rules = closure(role, tables.roles).flatMap((up) => own.get(up));
    abilities.set(role, createMongoAbility(rules));
  }
  const held = new Map(
    Object.entries(tables.principals).map(([principal, roles]) => [
      principal,
      roles.map((role) => abilities.get(role)),
    ]),
  );
  questions = tables.questions;
  decide = (principal, action, resource) => {
    for (const ability of held.get(principal)) {
      if (ability.can(action, resource)) return true;
    }
    return false;
  };
}

function closure(role, parents) {
  const seen = new Set([role]);
  for (const one of seen) parents[one].forEach((parent) => seen.add(parent));
  return [...seen];
}

function run(count) {
  const started = process.hrtime.bigint();
  const before = process.cpuUsage();
  let allowed = 0;
  for (let at = 0; at < count; at += 1) {
    const [principal, action, resource] = questions[at];
    if (decide(principal, action, resource)) allowed += 1;
  }
  const used = process.cpuUsage(before);
  const wall = Number(process.hrtime.bigint() - started);
  return { cpu_ns: (used.user + used.system) * 1000, wall_ns: wall, allowed };
}

function times(count) {
  return questions.slice(0, count).map(([principal, action, resource]) => {
    const started = process.hrtime.bigint();
    decide(principal, action, resource);
    return Number(process.hrtime.bigint() - started);
  });
}

function answered(asked) {
  if (asked.do === "load") {
    const started = process.hrtime.bigint();
    load(JSON.parse(readFileSync(asked.file, "utf8")));
    const packaged = new URL("node_modules/@casl/ability/package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(packaged, "utf8"));
    return { version, seconds: Number(process.hrtime.bigint() - started) / 1e9 };
  }
  if (asked.do === "answer") {
    const some = questions.slice(0, asked.count);
    return { answers: some.map(([principal, action, resource]) => decide(principal, action, resource)) };
  }
  return asked.do === "run" ? run(asked.count) : { nanoseconds: times(asked.count) };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answered(JSON.parse(line)))}\n`);
}
