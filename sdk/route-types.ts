import type { paths } from './api-types.ts';

// How a route's types follow from the OpenAPI document. A route is written as in its documentation: `POST /api/sequences/{slug}/publish`.

type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type HasOperation<P extends keyof paths, V extends Verb> = paths[P][Lowercase<V>] extends { responses: unknown } ? `${V} ${P}` : never;

/** Every operation of the API. */
export type Route = { [P in keyof paths]: { [V in Verb]: HasOperation<P, V> }[Verb] }[keyof paths];

type OperationOf<R extends Route> = R extends `${infer V extends Verb} ${infer P extends keyof paths}` ? paths[P][Lowercase<V>] : never;

/** One text for each `{…}` of the path, in its order. */
export type PathValues<R extends string> = R extends `${string}{${string}}${infer Rest}` ? [id: string, ...PathValues<Rest>] : [];

/** The query that an operation takes; never where it takes none. */
export type Query<R extends Route> =
  OperationOf<R> extends { parameters: { query?: infer Q } } ? ([Q] extends [undefined] ? never : NonNullable<Q>) : never;

type Sent<O> = O extends { requestBody?: infer B } ? NonNullable<B> : never;
type SentAs<S, Type extends string> = [S] extends [never] ? never : S extends { content: { [T in Type]: infer B } } ? B : never;

/** The JSON body that an operation takes; never where it takes none. */
export type Body<R extends Route> = SentAs<Sent<OperationOf<R>>, 'application/json'>;

/** The body of what a page in a browser reports: JSON that is sent as text, so that no preflight is needed. */
export type TextBody<R extends Route> = SentAs<Sent<OperationOf<R>>, 'text/plain'>;

type ContentOf<Answer> = Answer extends { content: infer Content } ? Content[keyof Content] : null;
// 304 answers `If-None-Match`, which the client never sends.
type AnswerOf<Responses, Status extends keyof Responses> = Status extends 304
  ? never
  : Status extends 302
    ? string | null
    : ContentOf<Responses[Status]>;
type Answers<O> = O extends { responses: infer Responses } ? { [Status in keyof Responses]: AnswerOf<Responses, Status> }[keyof Responses] : never;

/** What an operation answers when it succeeds: null where it answers without content, an address where it redirects. */
export type Data<R extends Route> = Answers<OperationOf<R>>;

/** One entry of what a list answers. */
export type Item<R extends Route> = Data<R> extends { data: (infer I)[] } ? I : Data<R> extends (infer I)[] ? I : never;

/** Operations that take a query and no body. */
export type RouteWithQuery = { [R in Route]: [Query<R>] extends [never] ? never : [Body<R>] extends [never] ? R : never }[Route];
/** Operations that take a JSON body. */
export type RouteWithBody = { [R in Route]: [Body<R>] extends [never] ? never : R }[Route];
/** Operations that take neither. */
export type PlainRoute = { [R in Route]: [Query<R>] extends [never] ? ([Body<R>] extends [never] ? R : never) : never }[Route];
/** Lists. */
export type ListRoute = {
  [R in RouteWithQuery]: Query<R> extends { cursor?: string } ? ([Item<R>] extends [never] ? never : R) : never;
}[RouteWithQuery];
