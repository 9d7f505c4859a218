// Shows the contract. Its address is relative to this script, so a gateway may put a prefix before it.
SwaggerUIBundle({
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#contract",
  deepLinking: true,
  displayRequestDuration: true,
  // The browser forgets keys when the page closes. The contract goes to no validator on the internet.
  persistAuthorization: false,
  validatorUrl: null,
});
