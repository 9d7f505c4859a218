// Shows the contract. Its address follows from that of this script, whatever a gateway puts before it.
SwaggerUIBundle({
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#contract",
  deepLinking: true,
  displayRequestDuration: true,
  // Keys are forgotten with the page, and no validator elsewhere is asked about the contract.
  persistAuthorization: false,
  validatorUrl: null,
});
