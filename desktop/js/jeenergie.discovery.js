/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Synchronization: lists what a connection gives access to, lets the user tick what Jeedom should have, creates what is
 * newly ticked and deletes what was unticked.
 */
(function(jn) {
  'use strict';

  /** So many lines without data are shown unfolded where there are no others. */
  const FEW = 3;

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
      jn.showFound(summary, found);
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

  /** Lets the user choose among what a connection has found. */
  jn.showFound = function(connection, found) {
    show([{ connection: connection, found: found }]);
  };

  /*
   * Each line is {box, connection, id: of what is in Jeedom or null, label, equipment: what is to be created}.
   */
  function show(results) {
    const lines = [];
    const content = jn.el('div', { class: 'jnFound' }, results.map(function(result) {
      return jn.el('div', {}, [
        results.length > 1 ? jn.el('h4', { text: result.connection.name }) : null,
        result.error ? jn.el('div', { class: 'alert alert-danger', text: result.error }) : list(result, lines)
      ]);
    }));
    const unknown = lines.filter(function(each) { return each.id === null; });
    if (unknown.length > 1) content.prepend(allBox(unknown));
    if (lines.length) content.prepend(jn.el('p', { class: 'jnHelp', text: "{{Cochez ce que Jeedom doit avoir. Décocher un équipement déjà dans Jeedom le supprime, après une question.}}" }));
    jn.dialog({
      title: results.length > 1 ? '{{Équipements trouvés}}' : jn.fill('{{Équipements trouvés par « %s »}}', escaped(results[0].connection.name)),
      confirm: lines.length ? '{{Appliquer}}' : '', width: 640, content: content,
      done: function() { return apply(lines); }
    });
  }

  function escaped(text) {
    return jn.el('span', { text: text }).innerHTML;
  }

  /** Only for what can be created: one click must not propose to delete everything. */
  function allBox(unknown) {
    const all = jn.el('input', { type: 'checkbox' });
    all.checked = unknown.every(function(each) { return each.box.checked; });
    all.addEventListener('change', function() {
      unknown.forEach(function(each) { each.box.checked = all.checked; });
    });
    return jn.el('label', { class: 'jnAll' }, [all, ' {{Cocher tous les nouveaux}}']);
  }

  function list(result, lines) {
    const found = result.found.equipment;
    if (!found.length && !result.found.gone.length) {
      return jn.el('p', { text: "{{Aucun équipement n'a été trouvé.}}" });
    }
    const byType = {};
    found.forEach(function(each) { (byType[each.typeName] = byType[each.typeName] || []).push(each); });
    const parts = Object.entries(byType).map(function([typeName, members]) {
      const isEmpty = function(each) { return each.known === null && each.active === false; };
      const draw = function(each) { return line(result.connection, each, lines); };
      const full = members.filter(function(each) { return !isEmpty(each); });
      const empty = members.filter(isEmpty);
      const type = jn.backend(result.connection.backend).equipment[members[0].type] || {};
      return jn.el('fieldset', {}, [jn.el('legend', { text: typeName + ' (' + members.length + ')' })].concat(full.map(draw), empty.length ? [
        jn.el('details', { class: 'jnAdvanced', open: full.length === 0 && empty.length <= FEW }, [
          jn.el('summary', { text: jn.fill(type.unticked || "{{%s sans donnée pour l'instant}}", empty.length) })
        ].concat(empty.map(draw)))
      ] : []));
    });
    if (result.found.gone.length) parts.push(gone(result, lines));
    return jn.el('div', {}, parts);
  }

  function line(connection, each, lines) {
    const isKnown = each.known !== null;
    const own = isKnown && jn.summary(each.known); // the user may have renamed it
    const offered = each.name || each.key;
    const accepted = jn.acceptedName(offered);
    return entry(lines, {
      connection: connection, id: each.known, label: jn.named(each.typeName, (own && own.name) || each.name || each.key),
      equipment: { type: each.type, key: each.key, name: each.name, config: each.config }
    }, isKnown || each.active !== false, [
      jn.el('span', { text: (own && own.name) || accepted }),
      !isKnown && accepted !== offered ? jn.el('span', { class: 'jnHelp', text: jn.fill("{{« %s » a un caractère que Jeedom n'accepte pas.}}", offered) }) : null,
      jn.el('span', { class: 'jnHelp', text: each.shownKey }),
      isKnown ? jn.el('span', { class: 'label label-default', text: '{{déjà dans Jeedom}}' }) : null,
      null
    ]);
  }

  function gone(result, lines) {
    return jn.el('fieldset', {}, [
      jn.el('legend', { text: '{{Dans Jeedom, mais plus trouvés}}' }),
      jn.el('p', { class: 'jnHelp', text: "{{Rien n'est supprimé tant que la case reste cochée : à vous de voir s'ils reviendront.}}" })
    ].concat(result.found.gone.map(function(each) {
      const label = jn.named(each.typeName, each.name);
      return entry(lines, { connection: result.connection, id: each.id, label: label }, true, [
        jn.el('span', { text: label }), jn.el('span', { class: 'jnHelp', text: each.shownKey })
      ]);
    })));
  }

  function entry(lines, each, isChecked, children) {
    each.box = jn.el('input', { type: 'checkbox', 'data-jn_known': each.id });
    each.box.checked = isChecked;
    lines.push(each);
    return jn.el('label', { class: 'jnFoundLine' + (each.id === null ? '' : ' jnKnown') }, [each.box].concat(children));
  }

  /** Creates or updates what is ticked and deletes the rest, after a confirmation if anything is to be deleted. */
  async function apply(lines) {
    const wanted = lines.filter(function(each) { return each.id === null && each.box.checked; });
    const unwanted = lines.filter(function(each) { return each.id !== null && !each.box.checked; });
    const kept = lines.filter(function(each) { return each.id !== null && each.box.checked && each.equipment; });
    if (unwanted.length && !await mayRemove(unwanted)) throw new Error("{{Rien n'a été changé : recochez ce que vous voulez garder.}}");
    let created = 0;
    let removed = 0;
    let updated = 0;
    for (const connection of new Set(wanted.concat(unwanted, kept).map(function(each) { return each.connection; }))) {
      const ofIt = function(each) { return each.connection === connection; };
      const answer = await jn.ask('synchronise', {
        connection: connection.id,
        equipment: wanted.concat(kept).filter(ofIt).map(function(each) { return each.equipment; }),
        remove: unwanted.filter(ofIt).map(function(each) { return each.id; })
      });
      created += answer.created.length;
      removed += answer.removed.length;
      updated += answer.updated.length;
    }
    if (!wanted.length && !unwanted.length && !updated) return;
    const told = [];
    if (wanted.length || !(removed || updated)) told.push(jn.counted('{{%s équipement créé.|%s équipements créés.}}', created));
    if (removed) told.push(jn.counted('{{%s équipement supprimé.|%s équipements supprimés.}}', removed));
    if (updated) told.push(jn.counted('{{%s équipement mis à jour.|%s équipements mis à jour.}}', updated));
    setTimeout(function() { // once the dialog is closed
      if (jn.hasUnsavedWork()) { // a form that is being filled in stays
        jn.toast('success', told.join(' '));
        jn.refresh().catch(function() { /* tried again soon */ });
        return;
      }
      jn.afterReload('success', told.join(' '));
      jn.reload();
    });
  }

  async function mayRemove(unwanted) {
    const uses = await jn.usesOf(unwanted.map(function(each) { return jn.summary(each.id); }).filter(Boolean));
    return jn.confirm('{{Supprimer des équipements}}', ['{{Ces équipements, leurs commandes et leur historique vont être supprimés :}}'],
      unwanted.map(function(each) { return each.label; }).concat(uses), '{{Supprimer}}', 'danger');
  }
})(window.jeenergiePage);
