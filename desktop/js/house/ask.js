/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/* Questions of the page and the tile of the house to Jeedom. */
window.jeenergieHouse = window.jeenergieHouse || {};

(function(house) {
  'use strict';

  const AJAX = 'plugins/jeenergie/core/ajax/';

  /** The answer of an action; the error's text is for the user. `script`: whose ajax file it is. */
  house.ask = async function(action, request, script) {
    const form = new URLSearchParams({ action: action, request: JSON.stringify(request || {}) });
    let answer;
    try {
      answer = await (await fetch(AJAX + (script || 'jeenergiePanel') + '.ajax.php', { method: 'POST', body: form, credentials: 'same-origin' })).json();
    } catch (error) {
      throw new Error('{{Jeedom ne répond pas. Rechargez la page.}}');
    }
    if (answer.state !== 'ok') {
      throw new Error(new DOMParser().parseFromString(String(answer.result), 'text/html').body.textContent.trim());
    }
    return answer.result;
  };
})(window.jeenergieHouse);
