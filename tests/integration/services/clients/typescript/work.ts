// Records a complaint, pages through cases and decides one, with clients of which every type was generated.
// Prints what it saw as JSON.
import createClient from "openapi-fetch";
import type { paths as DedupPaths } from "./dedup.js";
import type { paths as IntakePaths, components } from "./intake.js";
import type { paths as ReferralPaths } from "./referral.js";

declare const process: { argv: string[] };

interface Place {
  url: string;
  token: string;
}

const places: Record<"intake" | "dedup" | "referral", Place> = JSON.parse(process.argv[2] ?? "");

function options(place: Place) {
  return { baseUrl: place.url, headers: { Authorization: `Bearer ${place.token}` } };
}

const intake = createClient<IntakePaths>(options(places.intake));
const dedup = createClient<DedupPaths>(options(places.dedup));
const referral = createClient<ReferralPaths>(options(places.referral));

function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

const complaint: components["schemas"]["ComplaintBody"] = {
  channel: "phone",
  narrative: "He came to my door again.",
  subjects: [{ role: "accused", name: "PC David C", force: "hampshire" }],
  allegations: [{ code: "partner_abuse.stalking", subjects: [0] }],
  national_categories: [],
  wish: "pass_on",
  could_be_guessed: "unknown",
};
const header = { "Idempotency-Key": "typescript-1" };
const first = good(await intake.POST("/v1/complaints", { params: { header }, body: complaint }));
const again = good(await intake.POST("/v1/complaints", { params: { header }, body: complaint }));

const cases: string[] = [];
let cursor: string | undefined;
do {
  const query = { limit: 2, order: "priority" as const, ...(cursor ? { cursor } : {}) };
  const page = good(await referral.GET("/v1/cases", { params: { query } }));
  cases.push(...page.items.map((item) => item.case_id));
  cursor = page.next_cursor ?? undefined;
} while (cursor);

const path = { case_id: cases[0]! };
const shown = await referral.GET("/v1/cases/{case_id}", { params: { path } });
good(shown);
const version = shown.response.headers.get("ETag")!;
const decided = good(
  await referral.POST("/v1/cases/{case_id}/decision", {
    params: { path, header: { "If-Match": version } },
    body: { outcome: "more_information", reason_code: "unclear", reason: "Where was it?" },
  }),
);

const reviews = good(await dedup.GET("/v1/reviews", { params: { query: { limit: 10 } } }));

console.log(
  JSON.stringify({
    receipts: [first.receipt, again.receipt],
    cases,
    decided: decided.case_id,
    version: decided.version,
    reviews: reviews.items.length,
  }),
);
