// Shows the contract. Its address is relative to this script, so a gateway may put a prefix before it.
SwaggerUIBundle({
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#contract",
  deepLinking: true,
  displayRequestDuration: true,
  // Keys are not stored in the browser. The contract is not sent to a validator on the internet.
  persistAuthorization: false,
  validatorUrl: null,
});
