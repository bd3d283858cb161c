/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/* What answers on the local network, offered where a connection is added. */
(function(jn) {
  'use strict';

  /** A button that searches, and what it finds as choices of `radioGroup`; calls choose(backend, settings). */
  jn.nearby = function(choose) {
    const results = jn.el('div', { class: 'jnSystems', 'aria-live': 'polite' });
    const button = jn.el('a', { class: 'btn btn-default btn-sm', href: '#', role: 'button' }, [
      jn.icon('fas fa-search'), ' {{Chercher sur mon réseau}}'
    ]);
    button.addEventListener('click', async function(event) {
      event.preventDefault();
      if (button.classList.contains('disabled')) return;
      button.classList.add('disabled');
      results.replaceChildren(jn.el('p', { class: 'jnHelp', text: '{{Recherche en cours, une dizaine de secondes…}}' }));
      try {
        const answer = await jn.ask('nearby', {});
        results.replaceChildren.apply(results, answer.found.length ? answer.found.map(card) : [
          jn.el('p', { class: 'jnHelp', text: '{{Rien ne répond. Choisissez le système ci-dessous et donnez son adresse ; les systèmes en ligne ne se cherchent pas.}}' })
        ]);
      } catch (error) {
        results.replaceChildren(jn.el('p', { class: 'jnHelp', role: 'alert', text: error.message }));
      } finally {
        button.classList.remove('disabled');
      }
    });

    function card(found) {
      const backend = jn.backend(found.backend);
      const radio = jn.el('input', { type: 'radio', name: 'jeenergieBackend', value: found.backend });
      radio.disabled = found.known !== null;
      radio.addEventListener('change', function() { choose(found.backend, found.config); });
      const about = [found.address];
      if (found.serial) about.push('{{numéro de série}} ' + found.serial);
      if (found.known !== null) about.push('{{déjà dans Jeedom}}');
      return jn.el('label', { class: 'jnSystemCard' }, [
        radio,
        jn.icon(backend.connection.icon || 'fas fa-plug'),
        jn.el('span', {}, [
          jn.el('strong', { text: backend.name }), jn.el('span', { class: 'jnHelp', text: about.join(' · ') })
        ])
      ]);
    }

    return jn.el('div', { class: 'jnNearby' }, [button, results]);
  };
})(window.jeenergiePage);
