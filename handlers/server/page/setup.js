// Starts Swagger UI on the server's three documents. A file of its own, because the page's policy allows no inline script.
window.ui = SwaggerUIBundle({
  dom_id: "#swagger-ui",
  urls: [
    { name: "OpenAI API", url: "/openapi/openai.json" },
    { name: "Ollama API", url: "/openapi/ollama.json" },
    { name: "Server", url: "/openapi/server.json" },
  ],
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout",
  validatorUrl: null,
});
