// Forms with data-passkey="get" or "create": the browser asks its person for a passkey, what it answers goes into the field `credential`, then the form goes.

async function options(form) {
  const body = new URLSearchParams({ for: form.dataset.passkeyFor, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
  const answer = await fetch(form.dataset.passkeyOptions, { method: "POST", body, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`options: ${answer.status}`);
  return answer.json();
}

async function credential(form) {
  const asked = await options(form);
  if (form.dataset.passkey === "create") return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) });
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
}

// On the window, before `forms.js` takes the form for one on its way.
window.addEventListener("submit", async (event) => {
  const form = event.target.closest?.("form[data-passkey]");
  if (!form || form.elements.credential.value) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const trouble = form.querySelector("[data-passkey-trouble]");
  trouble.hidden = true;
  try {
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) throw new TypeError("no passkeys");
    form.elements.credential.value = JSON.stringify(await credential(form));
    form.requestSubmit();
  } catch (error) {
    trouble.textContent = error instanceof TypeError || error.name === "SecurityError" ? trouble.dataset.unable : trouble.dataset.refused;
    trouble.hidden = false;
  }
}, { capture: true });
