<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Equipment\ShownKey;
use Jeenergie\Pages\PageActions;

/** An id of Jeedom says nothing to anybody: pages show the name of what it stands for. */
final class ShownKeyTest extends JeenergieTestCase
{
    private $connection;

    private $charger;

    protected function setUp(): void
    {
        parent::setUp();
        $catalogue = Catalogue::of($this->lab());
        $catalogue['equipment']['lonely'] = ['keyLabel' => 'Charger', 'keyNames' => []] + $catalogue['equipment']['lonely'];
        $catalogue['equipment']['meter']['keyNames'] = ['label' => 'Relay', 'when' => ['kind' => 'gas']];
        $this->useCatalogue($catalogue);
        $this->connection = $this->connection();
        $this->charger = Discovery::create($this->connection, 'meter', 'EH1', 'Blue', ['kind' => 'water']);
    }

    public function testTheNameOfAnotherEquipmentStandsForItsId(): void
    {
        $point = $this->equipment($this->connection, (string) $this->charger->getId(), 'lonely');
        $shown = ['shownKey' => 'Blue', 'keyLabel' => 'Charger', 'isKeyFixed' => true];
        $this->assertSame($shown, ShownKey::of($point));
        $object = (new jeeObject())->setName('Garage');
        $object->save();
        $this->charger->setObject_id($object->getId());
        $this->charger->save();
        $this->assertSame('Blue (Garage)', ShownKey::of($point)['shownKey']);
        $listed = array_column(PageActions::list()['connections'][0]['equipment'], 'shownKey', 'id');
        $this->assertSame('Blue (Garage)', $listed[$point->getId()]);
        $this->assertSame('Blue (Garage)', PageActions::get(['id' => $point->getId()])['shownKey']);
    }

    public function testOneThatHasGoneIsSaidToHaveGone(): void
    {
        $point = $this->equipment($this->connection, (string) $this->charger->getId(), 'lonely');
        $this->charger->remove();
        $this->assertSame('supprimé de Jeedom', ShownKey::of($point)['shownKey']);
    }

    public function testAKeyIsAnIdOnlyWhileItsConditionHolds(): void
    {
        $id = (string) $this->charger->getId();
        $relay = $this->equipment($this->connection, $id);
        $this->assertSame(['shownKey' => 'Blue', 'keyLabel' => 'Relay', 'isKeyFixed' => true], ShownKey::of($relay));
        $relay->setConfiguration('config', ['kind' => 'water']);
        $this->assertSame(['shownKey' => $id, 'keyLabel' => 'Number', 'isKeyFixed' => false], ShownKey::of($relay));
    }

    public function testAMarkThatTheUserHasChosenStaysAsItIs(): void
    {
        foreach (['Boiler', '999999'] as $mark) {
            $shown = ['shownKey' => $mark, 'keyLabel' => 'Number', 'isKeyFixed' => false];
            $this->assertSame($shown, ShownKey::of($this->equipment($this->connection, $mark)));
        }
    }

    public function testAWordOfThePluginsOwnIsNotShown(): void
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['equipment']['lonely'] = ['keyHidden' => true] + $catalogue['equipment']['lonely'];
        $this->useCatalogue($catalogue);
        $shown = ['shownKey' => '', 'keyLabel' => 'Charger', 'isKeyFixed' => true];
        $this->assertSame($shown, ShownKey::of($this->equipment($this->connection, 'home', 'lonely')));
    }

    public function testWhatIsFoundIsShownByItsNameAsWell(): void
    {
        $id = (string) $this->charger->getId();
        $found = json_encode([['type' => 'lonely', 'key' => $id, 'name' => ''], ['type' => 'meter', 'key' => '7', 'name' => '']]);
        $this->startDaemon('{"id":null,"ok":true,"result":{"equipment":' . $found . '}}');
        $this->assertSame(['Blue', '7'], array_column(Discovery::discover($this->connection), 'shownKey'));
    }

    public function testASystemThatThisVersionDoesNotKnowKeepsItsKeys(): void
    {
        $strange = new jeenergie();
        $strange->setConfiguration('kind', 'equipment')->setConfiguration('backend', 'none')->setConfiguration('key', 'k');
        $this->assertSame('k', ShownKey::of($strange)['shownKey']);
    }
}
