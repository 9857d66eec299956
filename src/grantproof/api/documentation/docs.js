// Shows the OpenAPI document of this service. Addresses are relative, so that a proxy may put the
// service below a path of its own. A key that is given under Authorize is kept by this page alone,
// and forgotten when it is left.
"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  // Two hundred schemas would be drawn before anything else; each is shown where it is used.
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  presets: [SwaggerUIBundle.presets.apis],
  tagsSorter: "alpha",
  // Without this, documents are sent to a validator of another host.
  validatorUrl: null,
});
