
// Reads the document of this instance, shows it, and sends what is filled in. Nothing is written as markup:
// every text that comes from elsewhere stays a text.
const address = new URL("openapi.json", location.href);
const METHODS = ["get", "put", "post", "delete", "head"];

/** An element with these properties and children. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A description: `code`, **strong words**, paragraphs. */
function said(text) {
  const words = (line) => line.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return element("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return element("strong", {}, part.slice(2, -2));
    return part;
  });
  return (text ?? "").split("\n\n").filter(Boolean).map((line) => element("p", {}, ...words(line)));
}

const nameOf = (reference) => reference.split("/").pop();

/** A shape in a few words. */
function kind(shape) {
  if (shape.$ref) return nameOf(shape.$ref);
  if (shape.oneOf) return shape.oneOf.map(kind).join(" or ");
  if (shape.enum) return shape.enum.map((word) => JSON.stringify(word)).join(" ");
  const types = [shape.type ?? "anything"].flat();
  if (types.includes("array")) return `list of ${kind(shape.items ?? {})}`;
  const bounds = [];
  if (shape.format) bounds.push(shape.format);
  if (shape.minLength) bounds.push(`at least ${shape.minLength}`);
  if (shape.maxLength) bounds.push(`at most ${shape.maxLength}`);
  if (shape.minimum !== undefined && shape.maximum !== undefined) bounds.push(`${shape.minimum} to ${shape.maximum}`);
  else if (shape.minimum !== undefined) bounds.push(`from ${shape.minimum}`);
  return types.join(" or ") + (bounds.length ? ` (${bounds.join(", ")})` : "");
}

/** The shape in full; what has a name is opened when somebody wants to see it. */
function inFull(shape, shapes) {
  if (shape.$ref) {
    const name = nameOf(shape.$ref);
    const details = element("details", { className: "shape" }, element("summary", {}, name));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(inFull(shapes[name], shapes));
    });
    return details;
  }
  const parts = element("div");
  if (shape.oneOf) {
    parts.append(...shape.oneOf.filter((one) => one.$ref || one.properties || one.items).map((one) => inFull(one, shapes)));
  } else if (shape.items) {
    parts.append(inFull(shape.items, shapes));
  } else if (shape.contentSchema) {
    parts.append(inFull(shape.contentSchema, shapes));
  } else if (shape.properties || shape.additionalProperties) {
    const rows = Object.entries(shape.properties ?? {}).map(([name, member]) => {
      const must = (shape.required ?? []).includes(name) ? "must" : "";
      const more = member.$ref || member.oneOf || member.items || member.properties || member.additionalProperties;
      return element("tr", {},
        element("td", {}, element("code", { className: must }, name)),
        element("td", {}, element("span", { className: "quiet" }, kind(member)), ...said(member.description), more ? inFull(member, shapes) : null));
    });
    parts.append(element("table", { className: "members" }, element("tbody", {}, ...rows)));
    if (typeof shape.additionalProperties === "object") {
      parts.append(element("p", { className: "quiet" }, `Any other member: ${kind(shape.additionalProperties)}`), inFull(shape.additionalProperties, shapes));
    }
  } else {
    parts.append(element("p", { className: "quiet" }, kind(shape)));
  }
  return parts;
}

/** The words a parameter may be, if they are few and known. */
function choices(shape, shapes) {
  if (shape.$ref) return choices(shapes[nameOf(shape.$ref)], shapes);
  if (shape.oneOf) {
    const lists = shape.oneOf.map((one) => choices(one, shapes));
    return lists.every(Boolean) ? lists.flat() : null;
  }
  if (shape.type === "boolean") return ["true", "false"];
  return shape.enum ?? null;
}

function field(parameter, shapes) {
  const words = choices(parameter.schema, shapes);
  const usual = parameter.required ? parameter.schema.examples?.[0] ?? words?.[0] ?? "" : "";
  const control = words
    ? element("select", {}, ...(parameter.required ? words : ["", ...words]).map((word) => element("option", { value: word }, word)))
    : element("input", { value: usual, spellcheck: false, placeholder: parameter.schema.default ?? "" });
  control.name = parameter.name;
  const label = element("label", { className: "parameter" },
    element("code", { className: parameter.required ? "must" : "" }, parameter.name), control,
    element("small", {}, parameter.description ?? ""));
  return { label, parameter, value: () => control.value };
}

function example(content) {
  const given = content?.example;
  if (given === undefined) return "";
  return typeof given === "string" ? given : JSON.stringify(given, null, 2);
}

/** What is sent, as an address and options. */
function request(path, method, fields, body, mediaType) {
  let filled = path.slice(1);
  const query = new URLSearchParams();
  for (const { parameter, value } of fields) {
    if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value()));
    else if (value() !== "") query.set(parameter.name, value());
  }
  const headers = {};
  const key = document.querySelector("#key").value.trim();
  if (key) headers.authorization = `Bearer ${key}`;
  if (body) headers["content-type"] = mediaType;
  const target = new URL(filled, address);
  target.search = query.toString();
  return [target, { method: method.toUpperCase(), headers, body: body || undefined }];
}

async function send(result, [target, options]) {
  result.replaceChildren(element("p", { className: "quiet" }, "Waiting …"));
  try {
    const answer = await fetch(target, options);
    let text = await answer.text();
    try {
      text = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Not JSON; shown as it came.
    }
    const line = element("p", {},
      element("span", { className: `status ${answer.ok ? "ok" : "refused"}` }, `${answer.status} ${answer.statusText}`),
      ` ${options.method} ${target.pathname}${target.search}`);
    result.replaceChildren(line, ...(text ? [element("pre", {}, text)] : []));
  } catch (error) {
    result.replaceChildren(element("p", { className: "status refused" }, `Nothing came back: ${error.message}`));
  }
}

function operationOf(path, method, operation, shapes) {
  const fields = (operation.parameters ?? []).map((parameter) => field(parameter, shapes));
  const [mediaType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const body = mediaType ? element("textarea", { value: example(content), spellcheck: false }) : null;
  body?.setAttribute("aria-label", `Body, ${mediaType}`);
  const result = element("div", { className: "result" });
  result.setAttribute("aria-live", "polite");
  const button = element("button", { type: "button" }, "Send");
  button.addEventListener("click", () => send(result, request(path, method, fields, body?.value, mediaType)));
  const answers = Object.entries(operation.responses).sort(([one], [other]) => one - other).map(([status, answer]) => {
    const shape = Object.values(answer.content ?? {})[0]?.schema;
    return element("tr", {}, element("td", {}, element("code", {}, status)),
      element("td", {}, ...said(answer.description), shape?.$ref || shape?.contentSchema ? inFull(shape, shapes) : null));
  });
  const scopes = (operation.security ?? []).flatMap((one) => Object.values(one).flat());
  const inside = element("div", {}, ...said(operation.description),
    fields.length ? element("h3", {}, "Parameters") : null, ...fields.map((one) => one.label),
    body ? element("h3", {}, `Body, ${mediaType}`) : null, body,
    body && content.schema ? inFull(content.schema, shapes) : null,
    button, result,
    element("h3", {}, "Answers"), element("table", { className: "members" }, element("tbody", {}, ...answers)));
  return element("details", { className: "operation", id: operation.operationId },
    element("summary", {},
      element("span", { className: `method ${method}` }, method.toUpperCase()), element("span", { className: "path" }, path),
      ...scopes.map((scope) => element("span", { className: "scope", title: "The scope a key needs" }, scope)),
      element("span", { className: "quiet" }, operation.summary ?? "")),
    inside);
}

function show(read) {
  const shapes = read.components.schemas;
  document.querySelector("#about").replaceWith(element("div", {}, ...said(read.info.description),
    element("p", { className: "quiet" }, `Version ${read.info.version}. `, element("a", { href: address }, "openapi.json"))));
  for (const tag of read.tags) {
    const operations = Object.entries(read.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]?.tags?.includes(tag.name)).map((method) => [path, method, item[method]]));
    document.querySelector("#nav").append(element("strong", {}, tag.name), ...operations.map(([path, method, operation]) =>
      element("a", { href: `#${operation.operationId}` }, element("span", { className: `method ${method}` }, method.toUpperCase()), operation.summary ?? path)));
    document.querySelector("#operations").append(element("section", {}, element("h2", {}, tag.name), ...said(tag.description),
      ...operations.map(([path, method, operation]) => operationOf(path, method, operation, shapes))));
  }
}

/** Opens what the address names. */
function open() {
  const named = document.getElementById(location.hash.slice(1));
  if (named?.tagName === "DETAILS") {
    named.open = true;
    named.scrollIntoView();
  }
}

try {
  show(await (await fetch(address)).json());
  addEventListener("hashchange", open);
  open();
} catch (error) {
  document.querySelector("#about").textContent = `The document could not be read: ${error.message}`;
}
