<?php

use Jeenergie\Equipment\Discovery;
use Jeenergie\Pages\PageActions;

final class LifecycleTest extends JeenergieTestCase
{
    /** @dataProvider refusals */
    public function testWhatIsRefusedIsSaid(string $sentence, callable $action): void
    {
        $connection = $this->connection();
        $meter = $this->equipment($connection);
        $this->expectExceptionMessage($sentence);
        $action->call($this, $connection, $meter);
    }

    public static function refusals(): array
    {
        return [
            'an eqLogic from nowhere' => ['depuis la page du plugin', function () {
                (new jeenergie())->setName('Stray')->save();
            }],
            'a connection without what it needs' => ['« Host »', function () {
                $this->connection(['host' => ''], 'Second');
            }],
            'a locked name' => ['ne peut plus être modifié', function ($connection) {
                $connection->setName('Other')->save();
            }],
            'the same name twice' => ['« House » existe déjà', function () {
                $this->connection([], 'house');
            }],
            'the same key twice' => ['existe déjà sous le nom « Meter 1 »', function ($connection) {
                $this->equipment($connection, '1');
            }],
            'more than there can be' => ['tous les équipements possibles', function ($connection) {
                foreach (['2', '3', '4'] as $key) {
                    PageActions::addByHand(['connection' => $connection->getId(), 'type' => 'meter', 'key' => $key]);
                }
            }],
            'by hand what is only found' => ['ne s\'ajoutent pas à la main', function ($connection) {
                PageActions::addByHand(['connection' => $connection->getId(), 'type' => 'lonely', 'key' => '1']);
            }],
            'equipment without a key' => ['« Number »', function ($connection) {
                $this->equipment($connection, ' ');
            }],
            'equipment of a disabled connection' => ['Activez d\'abord « House »', function ($connection, $meter) {
                $connection->setIsEnable(0)->save();
                jeenergie::byId($meter->getId())->setIsEnable(1)->save();
            }],
            'another type' => ['Le type d\'un équipement', function ($connection, $meter) {
                $meter->setConfiguration('type', 'lonely')->save();
            }],
            'the end of what is in use' => ['utilisé par « Meter 1 »', function ($connection) {
                $connection->remove();
            }],
            'a move of what does not move' => ['ne peut pas changer de connexion', function ($connection) {
                $lonely = $this->equipment($connection, '9', 'lonely');
                $lonely->setConfiguration('connection', $this->connection([], 'Second')->getId())->save();
            }],
        ];
    }

    public function testEquipmentWithoutAnObjectFollowsItsConnectionIntoTheFirstOne(): void
    {
        $connection = $this->connection();
        $meter = $this->equipment($connection);
        $placed = $this->equipment($connection, '2');
        $placed->setObject_id(7)->save();
        jeenergie::byId($connection->getId())->setObject_id(3)->save();
        $this->assertSame([3, 7], [
            (int) jeenergie::byId($meter->getId())->getObject_id(), (int) jeenergie::byId($placed->getId())->getObject_id(),
        ]);
        jeenergie::byId($connection->getId())->setObject_id(4)->save();
        $this->assertSame(3, (int) jeenergie::byId($meter->getId())->getObject_id());
    }

    public function testEquipmentMovesToAnotherConnection(): void
    {
        $meter = $this->equipment($this->connection());
        $second = $this->connection([], 'Second');
        $meter->setConfiguration('connection', (string) $second->getId())->save();
        $this->assertSame($second->getId() . '::meter::1', jeenergie::byId($meter->getId())->getLogicalId());
    }

    public function testSettingsThatAFormDoesNotSendStay(): void
    {
        $connection = $this->connection(['port' => 8080, 'mode' => 'many']);
        $connection->setConfiguration('config', ['mode' => '', 'password' => '']);
        $connection->save();
        $config = jeenergie::byId($connection->getId())->config();
        $this->assertSame([8080, 'one', 'p4ss'], [$config['port'], $config['mode'], $config['password']]);
    }

    public function testASettingThatIsNoFiniteNumberIsRefusedAndTheRowKept(): void
    {
        $connection = $this->connection(['port' => 8080]);
        foreach (['1e999' => '« Port » doit être un nombre.', '1.5' => '« Port » doit être un nombre entier.'] as $text => $sentence) {
            try {
                $connection->setConfiguration('config', ['port' => $text])->save();
                $this->fail('saved');
            } catch (Exception $error) {
                $this->assertSame($sentence, $error->getMessage());
            }
        }
        $this->assertSame(8080, jeenergie::byId($connection->getId())->config()['port']);
    }

    public function testAPasswordIsKeptAsItWasTyped(): void
    {
        foreach ([' blanks at both ends ', 'crypt:not', '0', '   ', 'raw:x', "tab\t"] as $password) {
            $connection = $this->connection(['password' => $password], 'House ' . sha1($password));
            $this->assertSame($password, $connection->config()['password']);
            $this->assertStringNotContainsString($password, $this->stored($connection));
            $form = ['id' => (string) $connection->getId(), 'config' => ['password' => $password . ' ']];
            $this->assertSame($password . ' ', Discovery::fromForm($form)->config()['password']);
        }
    }

    public function testASecretOutlivesASaveThatTheDatabaseRefused(): void
    {
        $connection = $this->connection(['password' => 'crypt:odd']);
        Memory::$meanwhile['store'] = static function (): void {
            throw new Exception('the database is gone');
        };
        try {
            $connection->save();
            $this->fail('saved');
        } catch (Exception $error) {
            $this->assertSame('crypt:odd', $connection->config()['password']);
        }
        $connection->save();
        $this->assertSame('crypt:odd', jeenergie::byId($connection->getId())->config()['password']);
    }

    /** What the core writes into the database. */
    private function stored(jeenergie $connection): string
    {
        $connection->encrypt();
        $stored = $connection->getConfiguration('secrets')['password'];
        $connection->decrypt();
        return $stored;
    }

    public function testSecretsNeitherLeaveNorStayInTheOpen(): void
    {
        $connection = $this->connection();
        $this->assertStringNotContainsString('p4ss', json_encode($connection->toArray()) . print_r($connection, true));
        $this->assertSame(['password'], $connection->toArray()['secretsSet']);
        $connection->encrypt();
        $this->assertStringNotContainsString('p4ss', json_encode($connection->getConfiguration()));
        $connection->decrypt();
        $this->assertSame('p4ss', $connection->config()['password']);
        $this->assertFalse($connection->getChanged());
    }

    public function testANewEquipmentHasItsCategory(): void
    {
        $connection = $this->connection();
        $this->assertSame(['automatism' => 1], $this->equipment($connection)->getCategory());
        $this->assertSame(['energy' => 1], $connection->getCategory());
    }

    public function testThePluginGoesWithAllItsEquipmentWhateverIsInUse(): void
    {
        $this->equipment($this->connection());
        (new update())->deleteObjet();
        $this->assertSame([], Memory::$eqLogics);
    }

    public function testARemovedConnectionIsForgottenByTheDaemonSomeDay(): void
    {
        $connection = $this->connection();
        $connection->remove();
        $this->assertSame([(string) $connection->getId()], Memory::$config['jeenergie::toForget']);
    }

    public function testALongKeyStaysUniqueInTheSpaceThereIs(): void
    {
        $connection = $this->connection();
        $first = $this->equipment($connection, str_repeat('x', 200) . '1');
        $second = $this->equipment($connection, str_repeat('x', 200) . '2');
        $this->assertSame(127, strlen($first->getLogicalId()));
        $this->assertNotSame($first->getLogicalId(), $second->getLogicalId());
    }

    public function testAFormUsesTheSavedSecretUnlessItBringsOne(): void
    {
        $connection = $this->connection();
        $form = ['id' => (string) $connection->getId(), 'config' => ['port' => 81, 'password' => '']];
        $this->assertSame('p4ss', Discovery::fromForm($form)->config()['password']);
        $form['config']['password'] = 'other';
        $this->assertSame('other', Discovery::fromForm($form)->config()['password']);
        $this->assertSame(80, jeenergie::byId($connection->getId())->settings()['port']);
    }

    public function testASettingThatEndsATypeHandsItsCommandsOver(): void
    {
        $connection = $this->connection(['mode' => 'one']);
        $lonely = $this->equipment($connection, '1', 'lonely');
        $id = $this->cmd($lonely, 'power')->getId();
        $connection->setConfiguration('config', ['mode' => 'many']);
        $connection->save();
        [$meter] = Discovery::createAll($connection, [['type' => 'meter', 'key' => '1', 'name' => 'New']]);
        $this->assertSame($id, $this->cmd($meter, 'power')->getId());
        $this->assertNull(jeenergie::byId($lonely->getId()));
    }

    public function testWhatWasOnComesBackWithItsConnectionAndNothingElse(): void
    {
        $connection = $this->connection();
        [$on, $off] = [$this->equipment($connection, '1'), $this->equipment($connection, '2')];
        $off->setIsEnable(0)->save();
        $enabled = fn(): array => array_map(fn(jeenergie $each): int => (int) jeenergie::byId($each->getId())->getIsEnable(), [$on, $off]);
        foreach ([0, 1, 0, 1] as $state) {
            jeenergie::byId($connection->getId())->setIsEnable($state)->save();
            $this->assertSame([$state, 0], $enabled());
        }
        jeenergie::byId($on->getId())->setIsEnable(0)->save();
        jeenergie::byId($connection->getId())->setIsEnable(0)->save();
        jeenergie::byId($connection->getId())->setIsEnable(1)->save();
        $this->assertSame([0, 0], $enabled(), 'off by the user, it stays off');
    }

    public function testEquipmentCreatedBeforeItsConnectionIsEnabledStartsWithIt(): void
    {
        $connection = $this->connection();
        $connection->setIsEnable(0)->save();
        $waiting = $this->equipment(jeenergie::byId($connection->getId()), '2');
        $this->assertEquals(0, jeenergie::byId($waiting->getId())->getIsEnable());
        jeenergie::byId($connection->getId())->setIsEnable(1)->save();
        $this->assertEquals(1, jeenergie::byId($waiting->getId())->getIsEnable());
    }

    public function testWhatTheUserSavesWhileAConnectionSwitchesItsEquipmentIsNotUndone(): void
    {
        $connection = $this->connection();
        [$first, $second] = [$this->equipment($connection, '1'), $this->equipment($connection, '2')];
        $saves = 0;
        $rename = function () use (&$saves, &$rename, $second): void {
            // The connection itself, then its first equipment.
            if (++$saves === 2) {
                jeenergie::byId($second->getId())->setName('Mine')->store();
            } else {
                Memory::$meanwhile['store'] = $rename;
            }
        };
        Memory::$meanwhile['store'] = $rename;
        jeenergie::byId($connection->getId())->setIsEnable(0)->save();
        $this->assertSame('Mine', jeenergie::byId($second->getId())->getName());
        $this->assertEquals(0, jeenergie::byId($second->getId())->getIsEnable());
    }
}
