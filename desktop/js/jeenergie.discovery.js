/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Synchronisation: asks what a connection leads to, lets the user tick what Jeedom should have, and creates it.
 */
(function(jn) {
  'use strict';

  /* ------------------------------------------------------------------ where it starts */

  /** From the list (a group) or from the connection's own page (its form, saved or not). */
  jn.actions.discover = async function(button) {
    const group = button.closest('.jnGroup');
    const summary = jn.summary(group ? group.getAttribute('data-connection') : jn.current.id);
    const place = group ? group.querySelector('.jnNotice') : document.getElementById('div_jeenergieResult');
    const asked = group ? summary.id : jn.formNow();
    jn.answer(place, 'busy', '{{Recherche des équipements… cela peut prendre une minute.}}');
    try {
      const found = await jn.busy(button, jn.ask('discover', { connection: asked }));
      jn.notice(place, '', '');
      show([{ connection: summary, found: found }]);
    } catch (error) {
      await jn.showRefusal(place, error);
    }
  };

  jn.actions.discoverAll = async function(button) {
    const connections = jn.data.list.connections.filter(function(each) { return each.isEnable; });
    const place = document.getElementById('div_jeenergieDaemon');
    if (!connections.length) return jn.notice(place, 'info', '{{Aucune connexion active : activez-en une, puis recommencez.}}');
    const results = [];
    place.removeAttribute('data-shown');
    await jn.busy(button, (async function() {
      for (const connection of connections) { // one after another: each asks a device or a service
        jn.notice(place, 'busy', jn.fill('{{Recherche des équipements de « %s »…}}', connection.name));
        try {
          results.push({ connection: connection, found: await jn.ask('discover', { connection: connection.id }) });
        } catch (error) {
          results.push({ connection: connection, error: error.message });
        }
      }
    })());
    jn.notice(place, '', '');
    show(results);
    jn.refresh().catch(function() { });
  };

  /* ------------------------------------------------------------------ what was found */

  function show(results) {
    const boxes = [];
    const content = jn.el('div', { class: 'jnFound' }, results.map(function(result) {
      return jn.el('div', {}, [
        results.length > 1 ? jn.el('h4', { text: result.connection.name }) : null,
        result.error ? jn.el('div', { class: 'alert alert-danger', text: result.error }) : list(result, boxes)
      ]);
    }));
    const selectable = boxes.filter(function(each) { return !each.box.disabled; });
    if (selectable.length > 1) content.prepend(allBox(selectable));
    jn.dialog({
      title: results.length > 1 ? '{{Équipements trouvés}}' : jn.fill('{{Équipements trouvés par « %s »}}', escaped(results[0].connection.name)),
      confirm: selectable.length ? '{{Créer les équipements cochés}}' : '', width: 640, content: content,
      done: function() { return create(selectable); }
    });
  }

  function escaped(text) {
    return jn.el('span', { text: text }).innerHTML;
  }

  function allBox(selectable) {
    const all = jn.el('input', { type: 'checkbox' });
    all.checked = selectable.every(function(each) { return each.box.checked; });
    all.addEventListener('change', function() {
      selectable.forEach(function(each) { each.box.checked = all.checked; });
    });
    return jn.el('label', { class: 'jnAll' }, [all, ' {{Tout cocher}}']);
  }

  function list(result, boxes) {
    const found = result.found.equipment;
    if (!found.length && !result.found.gone.length) {
      return jn.el('p', { text: "{{Aucun équipement n'a été trouvé.}}" });
    }
    const byType = {};
    found.forEach(function(each) { (byType[each.typeName] = byType[each.typeName] || []).push(each); });
    const parts = Object.entries(byType).map(function([typeName, members]) {
      return jn.el('fieldset', {}, [jn.el('legend', { text: typeName + ' (' + members.length + ')' })].concat(members.map(function(each) {
        return line(result.connection, each, boxes);
      })));
    });
    if (result.found.gone.length) parts.push(gone(result.found.gone));
    return jn.el('div', {}, parts);
  }

  function line(connection, each, boxes) {
    const box = jn.el('input', { type: 'checkbox', disabled: each.known !== null });
    box.checked = each.known !== null || each.active !== false;
    boxes.push({ box: box, connection: connection, equipment: { type: each.type, key: each.key, name: each.name, config: each.config } });
    return jn.el('label', { class: 'jnFoundLine' + (each.known === null ? '' : ' jnKnown') }, [
      box,
      jn.el('span', { text: each.name || each.key }),
      jn.el('span', { class: 'jnHelp', text: each.key }),
      each.known !== null ? jn.el('span', { class: 'label label-default', text: '{{déjà dans Jeedom}}' }) : null,
      each.known === null && each.active === false ? jn.el('span', { class: 'jnHelp', text: "{{aucune donnée pour l'instant}}" }) : null
    ]);
  }

  function gone(equipment) {
    return jn.el('fieldset', {}, [
      jn.el('legend', { text: '{{Dans Jeedom, mais plus trouvés}}' }),
      jn.el('p', { class: 'jnHelp', text: "{{Rien n'est supprimé : à vous de voir s'ils reviendront.}}" }),
      jn.el('ul', {}, equipment.map(function(each) { return jn.el('li', { text: each.typeName + ' « ' + each.name + ' »' }); }))
    ]);
  }

  async function create(selectable) {
    const chosen = selectable.filter(function(each) { return each.box.checked; });
    if (!chosen.length) throw new Error('{{Cochez au moins un équipement.}}');
    const connections = Array.from(new Set(chosen.map(function(each) { return each.connection; })));
    let created = 0;
    for (const connection of connections) {
      const answer = await jn.ask('createDiscovered', {
        connection: connection.id,
        equipment: chosen.filter(function(each) { return each.connection === connection; }).map(function(each) { return each.equipment; })
      });
      created += answer.created.length;
    }
    jn.afterReload('success', jn.fill('{{%s équipement(s) créé(s).}}', created));
    setTimeout(jn.reload); // once the dialog is closed
  }
})(window.jeenergiePage);
